/**
 * Prepared statements of all clients live in one session, so each client's names are translated: `foo` of client 7 is
 * `seg7_1` there. The statement without a name is translated too, since others' would take its place.
 */
import { ProtocolViolation, message, readText } from './frontend-frames.ts';
import type { Frame } from './frontend-frames.ts';
import type { StatementFacts } from './statement.ts';

export class PreparedNames {
  readonly #prefix: string;
  readonly #names = new Map<string, string>();
  #count = 0;

  constructor(client: number) {
    this.#prefix = `seg${client}_`;
  }

  /** The engine's name of a client's; made up when it is new. */
  engineName(name: string): string {
    let found = this.#names.get(name);
    if (found === undefined) {
      found = `${this.#prefix}${++this.#count}`;
      this.#names.set(name, found);
    }
    return found;
  }

  /** All names in the engine, which may or may not be prepared. */
  all(): string[] {
    return [...this.#names.values()];
  }

  clear(): void {
    this.#names.clear();
  }

  /** Texts of the engine (errors) with the client's own names. */
  restore(text: string): string {
    if (!text.includes(this.#prefix)) return text;
    const byEngine = new Map([...this.#names].map(([name, engine]) => [engine, name]));
    return text.replace(/seg\d+_\d+/g, (engine) => byEngine.get(engine) ?? engine);
  }

  /** A message of the extended protocol with the engine's names in it. @throws ProtocolViolation */
  translate({ type, body, bytes }: Frame): Buffer {
    switch (type) {
      case 'P': {
        const [name, next] = readText(body, 0);
        return message('P', this.engineName(name), body.subarray(next));
      }
      case 'B': {
        const [portal, afterPortal] = readText(body, 0);
        const [name, next] = readText(body, afterPortal);
        return message('B', portal, this.engineName(name), body.subarray(next));
      }
      case 'C':
      case 'D': {
        if (body.length === 0) throw new ProtocolViolation('a message is too short');
        if (String.fromCharCode(body[0]!) !== 'S') return bytes;
        const [name] = readText(body, 1);
        return message(type, body.subarray(0, 1), this.engineName(name));
      }
      default:
        return bytes;
    }
  }

  /** SQL with the engine's names in PREPARE, EXECUTE and DEALLOCATE, and without what would disturb other clients. */
  translateSql(sql: string, { naming }: StatementFacts): string {
    let text = '';
    let done = 0;
    for (const { start, end, kind } of naming) {
      text += sql.slice(done, start);
      text += this.#translateStatement(sql.slice(start, end), kind);
      done = end;
    }
    return text + sql.slice(done);
  }

  #translateStatement(statement: string, kind: StatementFacts['naming'][number]['kind']): string {
    if (kind === 'unlisten' || kind === 'deallocate all') return ' UNLISTEN seg_nobody';
    if (kind === 'discard all') return ' RESET ALL';
    return statement.replace(
      /^((?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:prepare|execute|deallocate)\s+(?:prepare\s+)?)("(?:[^"]|"")+"|[^\s(;]+)/i,
      (_, before: string, name: string) => before + this.engineName(plainName(name)),
    );
  }
}

/** As SQL folds names. */
function plainName(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
