/**
 * Names of settings that belong to users and extensions (`app.tenant`). The engine has them, but lists them nowhere; so whoever
 * wants to know what a client has set must ask for each by name, and the names are taken from what the client says: its statements,
 * the values it binds, and the functions that it may call.
 */

/** A client may try many; only the latest are asked for. */
const MOST_NAMES = 200;
const LONGEST = 128;

const NAME = String.raw`[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*(?:\.[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)+`;
const WHOLE = new RegExp(`^${NAME}$`);
const LITERAL = new RegExp(`'(${NAME})'`, 'g');
const ASSIGNED =
  /\b(?:set|reset)\s+(?:session\s+|local\s+)?((?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))*)/gi;

/** Those that a text of SQL (also of a function, also within another text) may set. */
export function customNamesIn(sql: string): string[] {
  const names = new Set<string>();
  for (const [, name] of sql.matchAll(LITERAL)) names.add(name!);
  for (const [, name] of sql.matchAll(ASSIGNED)) names.add(name!.replace(/"|\s/g, ''));
  return [...names].filter((name) => name.includes('.') && name.length <= LONGEST).slice(0, MOST_NAMES);
}

/** Values of a Bind message that may be such names. A message that is cut short is the engine's to refuse. */
export function customNamesBound(body: Buffer): string[] {
  let at = body.indexOf(0, body.indexOf(0) + 1) + 1;
  if (at === 0 || at + 2 > body.length) return [];
  at += 2 + 2 * body.readUInt16BE(at);
  if (at + 2 > body.length) return [];
  const names: string[] = [];
  let left = body.readUInt16BE(at);
  at += 2;
  for (; left > 0 && at + 4 <= body.length; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) continue;
    if (length > 2 && length <= LONGEST && body.includes(0x2e, at)) {
      const value = body.toString('utf8', at, at + length);
      if (WHOLE.test(value)) names.push(value);
    }
    at += length;
  }
  return names;
}

/** The latest names, each once. */
export class CustomNames {
  readonly #names = new Set<string>();

  add(names: Iterable<string>): void {
    for (const name of names) {
      this.#names.delete(name);
      this.#names.add(name);
      if (this.#names.size > MOST_NAMES) this.#names.delete(this.#names.values().next().value!);
    }
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#names.values();
  }
}
