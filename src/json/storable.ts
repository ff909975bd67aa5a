/** What JSON text can hold and PostgreSQL cannot store. */

/** How deep a record may nest: PostgreSQL's and V8's own recursion ends not far beyond (and PGlite's stack is small). */
const MAX_DEPTH = 500;

/** What keeps a JSON text that parses out of PostgreSQL, or undefined. */
export function refusal(text: string): string | undefined {
  if (text.includes('\\u')) {
    // An escaped backslash before the u makes it ordinary text, hence the pairs of backslashes.
    if (/(?<!\\)(?:\\\\)*\\u0000/.test(text))
      return 'a text value contains a NUL character, which PostgreSQL cannot store';
    if (hasLoneSurrogate(text))
      return 'a text value contains half of a surrogate pair, which is no Unicode text';
  }
  return undefined;
}

/** Why a JSON text nests too deep, or undefined. Ask before it is parsed: each bracket costs many times its byte then. */
export function tooDeep(text: string): string | undefined {
  // Each level takes a bracket to open and one to close.
  if (text.length <= 2 * MAX_DEPTH || !isDeep(text)) return undefined;
  return `nested deeper than ${MAX_DEPTH} levels`;
}

const SURROGATE_ESCAPES =
  /\\(?:u([dD][89abAB][\da-fA-F]{2})(?:\\u[dD][c-fC-F][\da-fA-F]{2})?|(u[dD][c-fC-F][\da-fA-F]{2})|.)/gs;

function hasLoneSurrogate(text: string): boolean {
  for (const match of text.matchAll(SURROGATE_ESCAPES)) {
    if (match[2] !== undefined || (match[1] !== undefined && match[0].length === 6)) return true;
  }
  return false;
}

function isDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}
