/**
 * Messages of a client that belong together (a simple query; everything up to a Sync or Flush; a COPY with its data), made into what
 * the engine gets, and the engine's answer made into what the client gets.
 */
import { commandComplete, errorMessage } from './backend-messages.ts';
import type { BackendMessage, WireError } from './backend-messages.ts';
import { timeIsUp } from '../engine/read-limits.ts';
import type { ClientSession } from './client-session.ts';
import { customNamesBound } from './custom-settings.ts';
import { int16, message, readText } from './frontend-frames.ts';
import type { Frame } from './frontend-frames.ts';
import { staysReadOnly } from './prepared-names.ts';
import { statementFacts } from './statement.ts';
import type { StatementFacts, StatementPart } from './statement.ts';

export interface Unit {
  readonly frames: readonly Frame[];
  /** Ends with a message after which the engine says that it is ready. */
  readonly ends: boolean;
  /** COPY data behind a query, which the client was asked for already. */
  readonly copy: boolean;
  /** The client has not asked whether the engine is ready. */
  readonly hidesReady?: boolean;
}

export interface UnitHooks {
  /** Carries a notification to those who listen. */
  notify(channel: string, payload: string): void;
  /** A function was made that may set these. */
  learnNames(names: readonly string[]): void;
  /** An error of the engine in the words of the database's owner. */
  explain(error: WireError): WireError;
}

/** SQL that no parser accepts: takes the place of a statement that must not run, so that the engine makes an error of it. */
const REFUSED_SQL = 'seg_refused';

/** A statement on its way, whose CommandComplete is still to come. */
interface Expected {
  readonly part: StatementPart;
  /** The server has put it there: the client knows nothing of it. */
  readonly hidden?: boolean;
}

/** An ErrorResponse, as far as it may be told in other words. */
function errorOf(text: string): WireError {
  const field = (type: string): string =>
    text
      .split('\0')
      .find((part) => part.startsWith(type))
      ?.slice(1) ?? '';
  return { sqlstate: field('C'), message: field('M') };
}

/** One unit on its way through the engine. */
export class UnitRun {
  /** What the engine gets. */
  readonly messages: readonly Buffer[];
  readonly #session: ClientSession;
  readonly #hooks: UnitHooks;
  /** For each Close on its way: whether the client knows nothing of it. */
  readonly #closes: boolean[] = [];
  readonly #expected: Expected[] = [];
  #inTransaction: boolean;
  #error: WireError | undefined;
  #timeout: WireError | undefined;
  #copyAnnounced: boolean;
  readonly #hidesReady: boolean;
  #deallocatesAll = false;
  #resets: 'no' | 'settings' | 'all' = 'no';
  #failed = false;

  /** @param inTransaction whether a transaction of the client's is open */
  constructor(unit: Unit, session: ClientSession, inTransaction: boolean, hooks: UnitHooks) {
    this.#session = session;
    this.#hooks = hooks;
    this.#inTransaction = inTransaction;
    this.#copyAnnounced = unit.copy;
    this.#hidesReady = unit.hidesReady === true;
    this.messages = unit.frames.flatMap((frame) => this.#prepare(frame));
  }

  /** Whether the client's prepared statements are to go once the unit has run. */
  get deallocatesAll(): boolean {
    return this.#deallocatesAll;
  }

  /** The engine ends it because it has taken so long; the engine itself knows only that it was asked to. */
  timeIsUp(milliseconds: number): void {
    this.#timeout = timeIsUp(milliseconds);
  }

  /** Whether settings went back to their defaults, which are the client's own. */
  get resets(): 'no' | 'settings' | 'all' {
    return this.#resets;
  }

  /** Whether the engine has answered with an error. */
  get failed(): boolean {
    return this.#failed;
  }

  /** A message as the engine gets it. */
  #prepare(frame: Frame): Buffer[] {
    const { names, state } = this.#session;
    switch (frame.type) {
      case 'Q':
        return [message('Q', this.#simple(readText(frame.body, 0)[0]))];
      case 'P':
        return this.#parse(frame.body);
      case 'B':
        state.customNames.add(customNamesBound(frame.body));
        return [names.translate(frame)];
      case 'E':
        return this.#execute(frame);
      case 'C':
        this.#closes.push(false);
        return [names.translate(frame)];
      default:
        return [names.translate(frame)];
    }
  }

  #simple(sql: string): string {
    const facts = statementFacts(sql);
    const prepares = facts.parts.some(({ naming }) => naming === 'prepare');
    const refused =
      this.#refusal(facts) ?? (prepares ? facts.preparedRefusal : undefined) ?? this.#temporaryRefusal(facts);
    if (refused !== undefined) return this.#refuse(refused);
    const { state, names } = this.#session;
    for (const part of facts.parts) {
      this.#expect(part);
      if (staysReadOnly(facts, part, state.reader)) this.#expected.push({ part, hidden: true });
    }
    return names.translateSql(sql, facts, state.reader);
  }

  #parse(body: Buffer): Buffer[] {
    const { names, state } = this.#session;
    const [name, afterName] = readText(body, 0);
    const [sql, rest] = readText(body, afterName);
    const facts = statementFacts(sql);
    const refused = this.#refusal(facts) ?? facts.preparedRefusal;
    const text = refused === undefined ? names.translateSql(sql, facts, state.reader) : this.#refuse(refused);
    const parse = message('P', names.engineName(name), text, body.subarray(rest));
    if (name !== '') return [parse];
    // A statement without a name takes the place of the one before.
    this.#closes.push(true);
    return [message('C', Buffer.from('S'), names.engineName('')), parse];
  }

  #execute(frame: Frame): Buffer[] {
    const facts = this.#session.portals.get(readText(frame.body, 0)[0]);
    const refused = facts === undefined ? undefined : this.#temporaryRefusal(facts);
    if (refused !== undefined) return [message('P', '', this.#refuse(refused), int16(0))];
    for (const part of facts?.parts ?? []) this.#expect(part);
    return [frame.bytes];
  }

  #refuse(error: WireError): string {
    this.#error ??= error;
    return REFUSED_SQL;
  }

  #expect(part: StatementPart): void {
    if (part.begins) this.#inTransaction = true;
    if (part.ends) this.#inTransaction = false;
    this.#expected.push({ part });
  }

  #refusal(facts: StatementFacts): WireError | undefined {
    const { state } = this.#session;
    state.customNames.add(facts.customNames);
    if (facts.makesFunction) this.#hooks.learnNames(facts.customNames);
    if (facts.refusal !== undefined) return facts.refusal;
    if (state.reader) {
      // What our parser does not understand is not let through to the engine's.
      const refusal = facts.syntaxError ?? facts.readerRefusal;
      if (refusal !== undefined) return refusal;
    }
    if (facts.copyAmongOthers) {
      return {
        sqlstate: '0A000',
        message: 'COPY FROM STDIN must be a query of its own',
        hint: 'Send it alone, not with other statements.',
      };
    }
    return undefined;
  }

  /** Temporary tables are the session's, which others use between the client's transactions. */
  #temporaryRefusal({ parts }: StatementFacts): WireError | undefined {
    if (!parts.some(({ temporary }) => temporary !== undefined)) return undefined;
    this.#session.madeTemporary = true;
    const alone = parts.length === 1 && parts[0]!.temporary === 'lasting';
    if (!alone || this.#inTransaction) return undefined;
    return {
      sqlstate: '0A000',
      message:
        'temporary tables outside a transaction are not supported by the embedded database: all clients share its session',
      hint: 'Send BEGIN first: the table is there until COMMIT or ROLLBACK.',
    };
  }

  /** A message of the engine as this client gets it; undefined when it is not for this client. */
  translate({ type, bytes, body }: BackendMessage): Buffer | undefined {
    switch (type) {
      case 'A': {
        const [channel, next] = readText(body, 4);
        this.#hooks.notify(channel, readText(body, next)[0]);
        return undefined;
      }
      case 'Z':
        return this.#hidesReady ? undefined : bytes;
      case '3':
        return this.#closes.shift() === true ? undefined : bytes;
      case 'G':
        if (!this.#copyAnnounced) return bytes;
        this.#copyAnnounced = false;
        return undefined;
      case 's':
        this.#expected.shift();
        return bytes;
      case 'E': {
        this.#failed = true;
        if (this.#error !== undefined) return errorMessage(this.#error);
        const text = body.toString('utf8');
        if (this.#timeout !== undefined && text.includes('\0C57014\0')) return errorMessage(this.#timeout);
        if (/\0C(53100|57014)\0/.test(text)) {
          const given = errorOf(text);
          const told = this.#hooks.explain(given);
          if (told !== given) return errorMessage(told);
        }
        const restored = this.#session.names.restore(text);
        return restored === text ? bytes : message('E', Buffer.from(restored, 'utf8'));
      }
      case 'C':
        return this.#completed(bytes, readText(body, 0)[0]);
      default:
        return bytes;
    }
  }

  #completed(bytes: Buffer, tag: string): Buffer | undefined {
    if (tag === 'ROLLBACK') this.#session.forgetListens();
    const next = this.#expected.shift();
    if (next === undefined) return bytes;
    const { part, hidden } = next;
    if (hidden === true) return undefined;
    if (part.listening !== undefined) this.#session.listens(part.listening);
    if (part.resets && this.#resets !== 'all') {
      this.#resets = part.naming === 'discard all' ? 'all' : 'settings';
    }
    switch (part.naming) {
      case 'unlisten':
        return commandComplete('UNLISTEN');
      case 'discard all':
        this.#deallocatesAll = true;
        return commandComplete('DISCARD ALL');
      case 'deallocate all':
        this.#deallocatesAll = true;
        return commandComplete('DEALLOCATE ALL');
      default:
        return bytes;
    }
  }
}
