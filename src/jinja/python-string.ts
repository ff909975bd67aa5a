/** Python's string literals: escapes read (`unicode-escape`) and written (`repr`). */

const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The text a literal's inner part stands for; undefined when an escape is malformed. Unknown escapes stay as they are. */
export function decodePythonString(inner: string): string | undefined {
  if (!inner.includes('\\')) return inner;
  let malformed = false;
  const decoded = inner.replace(
    /\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{1,3}|[^])/g,
    (whole, escape: string) => {
      const first = escape[0]!;
      if (escape.length > 1 && 'xuU'.includes(first)) {
        const code = Number.parseInt(escape.slice(1), 16);
        if (code <= 0x10ffff) return String.fromCodePoint(code);
        malformed = true;
        return '';
      }
      if (first >= '0' && first <= '7') return String.fromCharCode(Number.parseInt(escape, 8));
      if ('xuUN'.includes(first)) malformed = true;
      return SIMPLE[first] ?? whole;
    },
  );
  return malformed ? undefined : decoded;
}

/** `repr` of a str: single quotes unless the text holds single and no double ones. */
export function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = '';
  for (const character of text) {
    if (character === quote || character === '\\') out += `\\${character}`;
    else if (character === '\n') out += '\\n';
    else if (character === '\r') out += '\\r';
    else if (character === '\t') out += '\\t';
    else if (character !== ' ' && /[\p{C}\p{Z}]/u.test(character))
      out += escapeCode(character.codePointAt(0)!);
    else out += character;
  }
  return quote + out + quote;
}

function escapeCode(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}
