/**
 * A number of JSON whose digits JavaScript's own numbers would not keep: 9007199254740993, 700.00, 1e400. Values of
 * PostgreSQL's bigint and numeric are read as this class wherever a `number` would print other digits.
 */
export class JsonNumber {
  /** The digits as they were written. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  /** For arithmetic and comparison, as near as a `number` comes. */
  valueOf(): number {
    return Number(this.text);
  }

  /** For JSON.stringify of a user: the digits, as text where JavaScript has no JSON.rawJSON (Node 20). */
  toJSON(): unknown {
    const { rawJSON } = JSON as { rawJSON?: (text: string) => unknown };
    return rawJSON === undefined ? this.text : rawJSON(this.text);
  }
}

/** The digits of a number, and its sign, which String leaves out for minus zero. */
export function printed(number: number): string {
  return Object.is(number, -0) ? '-0' : String(number);
}

/** A number from its digits: a `number` if that prints the same digits, else a JsonNumber. `text` is JSON's spelling. */
export function numberOf(text: string): number | JsonNumber {
  const number = Number(text);
  return printed(number) === text ? number : new JsonNumber(text);
}

/** `sign`, the digits without zeros at either end, and the power of ten they are multiplied by; zero has no digits. */
function parts(text: string): { readonly sign: string; readonly digits: string; readonly power: bigint } {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^([+-]?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  const power = BigInt(exponent) + BigInt(digits.length - kept.length - fraction.length);
  return { sign: sign === '-' && kept !== '' ? '-' : '', digits: kept, power };
}

/** One spelling for equal numbers: `1.50`, `1.5` and `15e-1` are all `15e-1`. */
export function canonicalNumber(text: string): string {
  const { sign, digits, power } = parts(text);
  return digits === '' ? '0' : `${sign}${digits}e${power}`;
}

/** Far more digits than any integer type of PostgreSQL has. */
const MOST_ZEROS = 40n;

/** The whole number that a JSON number is, also when it is spelled `1.0` or `1e3`; undefined for others. */
export function wholeNumber(text: string): bigint | undefined {
  const { sign, digits, power } = parts(text);
  if (digits === '') return 0n;
  if (power < 0n) return undefined;
  return BigInt(sign + digits) * 10n ** (power < MOST_ZEROS ? power : MOST_ZEROS);
}
