/**
 * Messages of a client that belong together (a simple query; everything up to a Sync or Flush; a COPY with its data), made into what
 * the engine gets, and the engine's answer made into what the client gets.
 */
import { commandComplete, errorMessage } from './backend-messages.ts';
import type { BackendMessage, WireError } from './backend-messages.ts';
import { timeIsUp } from '../engine/read-limits.ts';
import type { ClientSession } from './client-session.ts';
import { message, readText } from './frontend-frames.ts';
import type { Frame } from './frontend-frames.ts';
import { statementFacts } from './statement.ts';
import type { Listening, StatementFacts } from './statement.ts';

export interface Unit {
  readonly frames: readonly Frame[];
  /** Ends with a message after which the engine says that it is ready. */
  readonly ends: boolean;
  /** COPY data behind a query, which the client was asked for already. */
  readonly copy: boolean;
}

/** SQL that no parser accepts: takes the place of a statement that must not run, so that the engine makes an error of it. */
const REFUSED_SQL = 'seg_refused';

/** One unit on its way through the engine. */
export class UnitRun {
  /** What the engine gets. */
  readonly messages: readonly Buffer[];
  readonly #session: ClientSession;
  readonly #notify: (channel: string, payload: string) => void;
  readonly #copy: boolean;
  /** For each Close on its way: whether the client knows nothing of it. */
  readonly #closes: boolean[] = [];
  readonly #tags: { readonly from: string; readonly to: string }[] = [];
  readonly #listens: Listening[] = [];
  #error: WireError | undefined;
  #timeout: WireError | undefined;
  #copyAnnounced: boolean;
  #deallocatesAll = false;

  /** @param notify carries a notification to those who listen */
  constructor(unit: Unit, session: ClientSession, notify: (channel: string, payload: string) => void) {
    this.#session = session;
    this.#notify = notify;
    this.#copy = unit.copy;
    this.#copyAnnounced = unit.copy;
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

  /** A message as the engine gets it. */
  #prepare(frame: Frame): Buffer[] {
    const { names } = this.#session;
    if (frame.type === 'C') this.#closes.push(false);
    if (frame.type === 'Q') {
      const [sql] = readText(frame.body, 0);
      return [message('Q', this.#checked(sql))];
    }
    if (frame.type !== 'P') return [names.translate(frame)];
    const [name, afterName] = readText(frame.body, 0);
    const [sql, rest] = readText(frame.body, afterName);
    const text = this.#checked(sql);
    const parse = message('P', names.engineName(name), text, frame.body.subarray(rest));
    if (name !== '') return [parse];
    // A statement without a name takes the place of the one before.
    this.#closes.push(true);
    return [message('C', Buffer.from('S'), names.engineName('')), parse];
  }

  /** The SQL that runs for a client's; notes what its answer means. */
  #checked(sql: string): string {
    const facts = statementFacts(sql);
    const refusal = this.#refusal(facts);
    if (refusal !== undefined) {
      this.#error = refusal;
      return REFUSED_SQL;
    }
    const { state, names } = this.#session;
    if (facts.setsSomething) state.changed = true;
    for (const name of facts.customSettings) state.customSettings.add(name);
    if (facts.makesTemporary) this.#session.madeTemporary = true;
    this.#listens.push(...facts.listens);
    if (facts.discardsAll) {
      this.#listens.push({ channel: '*', on: false });
      this.#deallocatesAll = true;
    }
    for (const { kind } of facts.naming) {
      if (kind === 'unlisten') this.#tags.push({ from: 'UNLISTEN', to: 'UNLISTEN' });
      if (kind === 'discard all') this.#tags.push({ from: 'RESET', to: 'DISCARD ALL' });
      if (kind === 'deallocate all') {
        this.#tags.push({ from: 'UNLISTEN', to: 'DEALLOCATE ALL' });
        this.#deallocatesAll = true;
      }
    }
    return names.translateSql(sql, facts);
  }

  #refusal(facts: StatementFacts): WireError | undefined {
    if (this.#session.state.reader) {
      // What our parser does not understand is not let through to the engine's.
      const refusal = facts.syntaxError ?? facts.refusal;
      if (refusal !== undefined) return refusal;
    }
    if (facts.copyAmongOthers || (facts.copyIn !== undefined && !this.#copy)) {
      return {
        sqlstate: '0A000',
        message: 'COPY FROM STDIN must be a simple query of its own',
        hint: 'Send it alone, not with other statements and not as a prepared statement.',
      };
    }
    return undefined;
  }

  /** A message of the engine as this client gets it; undefined when it is not for this client. */
  translate({ type, bytes, body }: BackendMessage): Buffer | undefined {
    switch (type) {
      case 'A': {
        const [channel, next] = readText(body, 4);
        this.#notify(channel, readText(body, next)[0]);
        return undefined;
      }
      case '3':
        return this.#closes.shift() === true ? undefined : bytes;
      case 'G':
        if (!this.#copyAnnounced) return bytes;
        this.#copyAnnounced = false;
        return undefined;
      case 'E': {
        if (this.#error !== undefined) return errorMessage(this.#error);
        const text = body.toString('utf8');
        if (this.#timeout !== undefined && text.includes('\0C57014\0')) return errorMessage(this.#timeout);
        const restored = this.#session.names.restore(text);
        return restored === text ? bytes : message('E', Buffer.from(restored, 'utf8'));
      }
      case 'C': {
        const tag = readText(body, 0)[0];
        if (tag === 'LISTEN' || tag === 'UNLISTEN' || tag === 'RESET')
          this.#session.listens(this.#listens.splice(0, 1));
        if (tag === 'ROLLBACK') this.#session.forgetListens();
        return this.#tags[0]?.from === tag ? commandComplete(this.#tags.shift()!.to) : bytes;
      }
      default:
        return bytes;
    }
  }
}
