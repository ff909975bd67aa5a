/**
 * Prepared statements of all clients live in one session, so each client's names are translated: `foo` of client 7 is
 * `seg7_1` there. The statement without a name is translated too, since others' would take its place.
 */
import { ProtocolViolation, message, readText } from './frontend-frames.ts';
import type { Frame } from './frontend-frames.ts';
import { READ_ONLY, READERS_SET_CONFIG } from './session-state.ts';
import type { NamingKind, StatementFacts, StatementPart } from './statement.ts';

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
  translateSql(sql: string, facts: StatementFacts, reader = false): string {
    let text = '';
    let done = 0;
    for (const part of facts.parts) {
      text += sql.slice(done, part.start);
      const statement = reader
        ? withReadersSetConfig(sql, part, facts.setConfigAt)
        : sql.slice(part.start, part.end);
      text += this.#translateStatement(statement, part.naming);
      if (staysReadOnly(facts, part, reader)) text += `; ${READ_ONLY}`;
      done = part.end;
    }
    return text + sql.slice(done);
  }

  #translateStatement(statement: string, naming: NamingKind | undefined): string {
    if (naming === undefined) return statement;
    if (naming === 'unlisten' || naming === 'deallocate all') return ' UNLISTEN seg_nobody';
    if (naming === 'discard all') return ' RESET ALL';
    const pattern = naming === 'execute' && !LEADING_EXECUTE.test(statement) ? INNER_EXECUTE : NAMING;
    return statement.replace(
      pattern,
      (_, before: string, name: string) => before + this.engineName(plainName(name)),
    );
  }
}

/**
 * Whether a reader's statement is to be followed by one that makes its transactions read-only again, at once: another
 * statement of the same text may begin the next one.
 */
export function staysReadOnly({ parts }: StatementFacts, part: StatementPart, reader: boolean): boolean {
  return reader && part.resets && parts.length > 1;
}

const BLANK = String.raw`(?:\s|--[^\n]*\n|/\*[\s\S]*?\*/)`;
const IDENTIFIER = String.raw`("(?:[^"]|"")+"|[^\s(;]+)`;
const LEADING_EXECUTE = new RegExp(`^${BLANK}*execute\\b`, 'i');
const NAMING = new RegExp(
  `^(${BLANK}*(?:prepare|execute|deallocate)${BLANK}+(?:prepare${BLANK}+)?)${IDENTIFIER}`,
  'i',
);
/** EXPLAIN EXECUTE, and CREATE TABLE ... AS EXECUTE. */
const INNER_EXECUTE = new RegExp(
  `^((?:${BLANK}*explain(?:${BLANK}|\\([^)]*\\)|\\b(?:analyze|verbose)\\b)*|[\\s\\S]*?\\bas${BLANK}+)\\bexecute${BLANK}+)${IDENTIFIER}`,
  'i',
);
const SET_CONFIG = /^(?:"?pg_catalog"?\s*\.\s*)?"?set_config"?/i;

function withReadersSetConfig(
  sql: string,
  { start, end }: StatementPart,
  setConfigAt: readonly number[],
): string {
  let text = '';
  let done = start;
  for (const at of setConfigAt) {
    if (at < start || at >= end) continue;
    const name = SET_CONFIG.exec(sql.slice(at, at + 100))?.[0];
    if (name === undefined) continue;
    text += sql.slice(done, at) + READERS_SET_CONFIG;
    done = at + name.length;
  }
  return text + sql.slice(done, end);
}

/** As SQL folds names. */
function plainName(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
