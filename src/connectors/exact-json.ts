/**
 * JSON that keeps what JavaScript's numbers lose. JSON.parse reads 12345678901234567890 as 12345678901234567000, and a
 * warehouse id or an amount must not change on its way in. A record whose text holds such a number is read a second
 * time with each of them replaced by a marked string; the encoders take numbers as text, so nothing else must know.
 */

/** How deep a record may nest: PostgreSQL's and V8's own recursion ends not far beyond (and PGlite's stack is small). */
const MAX_DEPTH = 500;

// A number stands after one of these, a string's digits after a quote: looking only there halves the search.
const MANY_DIGITS = /(?:[:,[\s]|^)-?(?:\d[\d.]{15}|[\d.]+[eE][+-]?\d{3})/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs;

export interface ExactRecord {
  /** For a validator: ordinary JavaScript values. */
  readonly plain: unknown;
  /** For the encoders: the same, with numbers that JavaScript cannot hold as `mark + digits`. */
  readonly exact: unknown;
  /** Begins the text of such a number; null when there is none. */
  readonly mark: string | null;
}

/** Parses one record. Throws JSON.parse's SyntaxError. */
export function parseExact(text: string): ExactRecord {
  const plain: unknown = JSON.parse(text);
  if (!MANY_DIGITS.test(text)) return { plain, exact: plain, mark: null };
  let mark = '\uE000';
  while (text.includes(mark)) mark += '\uE000';
  let marked = false;
  const rewritten = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || sameNumber(token)) return token;
    marked = true;
    return `"${mark}${token}"`;
  });
  return marked ? { plain, exact: JSON.parse(rewritten), mark } : { plain, exact: plain, mark: null };
}

/** The JSON text of a value found in `exact`. */
export function exactStringify(value: unknown, mark: string | null): string {
  const text = JSON.stringify(value);
  return mark === null ? text : text.replaceAll(new RegExp(`"${mark}([-+.\\deE]+)"`, 'g'), '$1');
}

/** A number's digits without its mark; any other value as it is. */
export function unmark(value: unknown, mark: string | null): unknown {
  return mark !== null && typeof value === 'string' && value.startsWith(mark)
    ? value.slice(mark.length)
    : value;
}

/** What keeps a JSON text that parses out of PostgreSQL, or undefined. */
export function refusal(text: string): string | undefined {
  if (text.includes('\\u')) {
    // An escaped backslash before the u makes it ordinary text, hence the pairs of backslashes.
    if (/(?<!\\)(?:\\\\)*\\u0000/.test(text))
      return 'a text value contains a NUL character, which PostgreSQL cannot store';
    if (hasLoneSurrogate(text))
      return 'a text value contains half of a surrogate pair, which is no Unicode text';
  }
  // Each level takes a bracket to open and one to close.
  if (text.length > 2 * MAX_DEPTH && depthOf(text) > MAX_DEPTH)
    return `nested deeper than ${MAX_DEPTH} levels`;
  return undefined;
}

function sameNumber(token: string): boolean {
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  if (/[.eE]/.test(token)) {
    const digits = token
      .replace(/[eE].*/s, '')
      .replace(/[-.]/g, '')
      .replace(/^0+|0+$/g, '');
    // Fifteen decimal digits always survive a double that is not near zero's end of the range.
    return digits === '' || (digits.length <= 15 && Math.abs(value) > 1e-300);
  }
  return Number.isSafeInteger(value) || String(value) === token;
}

const SURROGATE_ESCAPES =
  /\\(?:u([dD][89abAB][\da-fA-F]{2})(?:\\u[dD][c-fC-F][\da-fA-F]{2})?|(u[dD][c-fC-F][\da-fA-F]{2})|.)/gs;

function hasLoneSurrogate(text: string): boolean {
  for (const match of text.matchAll(SURROGATE_ESCAPES)) {
    if (match[2] !== undefined || (match[1] !== undefined && match[0].length === 6)) return true;
  }
  return false;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}
