/** Strings as sequences of code points, which is how Python counts them. */

const SURROGATE = /[\ud800-\udfff]/;

export function characters(text: string): string[] {
  return SURROGATE.test(text) ? Array.from(text) : text.split('');
}

export function lengthOf(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let length = 0;
  for (const _ of text) length++;
  return length;
}

/** Turns an offset in UTF-16 units (or -1) into one in code points. */
export function pointIndex(text: string, units: number): number {
  return units <= 0 || !SURROGATE.test(text) ? units : lengthOf(text.slice(0, units));
}

/** Compares by code points; UTF-16 order differs beyond the basic plane. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  if (!SURROGATE.test(a) && !SURROGATE.test(b)) return a < b ? -1 : 1;
  const left = characters(a);
  const right = characters(b);
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** What Python's `str.strip()` takes for whitespace. */
export const WHITESPACE = '[\\s\\x1c-\\x1f\\x85]';

const LINE_END = '\\r\\n|[\\n\\r\\v\\f\\x1c-\\x1e\\x85\\u2028\\u2029]';
const LINE = new RegExp(`((?:(?!${LINE_END})[^])*)(${LINE_END}|$)`, 'y');

/** `str.splitlines`. */
export function splitLines(text: string, keepEnds = false): string[] {
  const lines: string[] = [];
  for (LINE.lastIndex = 0; LINE.lastIndex < text.length;) {
    const [whole, line] = LINE.exec(text) as unknown as [string, string];
    lines.push(keepEnds ? whole : line);
  }
  return lines;
}
