import { parseJson } from '../json/exact-json.ts';

/** PostgreSQL's text of a value → the value that `Connection` promises, by the type's oid. */
const asNumber = (text: string): number => Number(text);
const asInt8 = (text: string): number | bigint => {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
};

/** What is not listed stays text. */
export const parsersByOid: ReadonlyMap<number, (text: string) => unknown> = new Map<
  number,
  (text: string) => unknown
>([
  [16, (text) => text === 't'],
  [20, asInt8],
  [21, asNumber],
  [23, asNumber],
  [26, asNumber],
  [700, asNumber],
  [701, asNumber],
  [114, parseJson],
  [3802, parseJson],
]);

export const asText = (text: string): string => text;
