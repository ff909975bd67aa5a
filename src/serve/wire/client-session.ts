import { PreparedNames } from './prepared-names.ts';
import { SessionState } from './session-state.ts';
import type { Listening, StatementFacts } from './statement.ts';

/** What a client has of its own in the one session that all of them share. */
export class ClientSession {
  readonly state: SessionState;
  readonly names: PreparedNames;
  /** Channels it listens to. */
  readonly channels = new Set<string>();
  /** What its prepared statements and portals are of, by its own names. */
  readonly statements = new Map<string, StatementFacts>();
  readonly portals = new Map<string, StatementFacts>();
  /** The transaction under way may leave temporary tables behind. */
  madeTemporary = false;
  #pending: Listening[] = [];

  constructor(pid: number, settings: ReadonlyMap<string, string>, reader: boolean) {
    this.names = new PreparedNames(pid);
    this.state = new SessionState(reader, settings);
  }

  /** Whether something of it was in the engine alone. */
  get hasLost(): boolean {
    return this.state.used || this.channels.size > 0 || this.names.all().length > 0;
  }

  forgetAll(): void {
    this.madeTemporary = false;
    this.channels.clear();
    this.forgetStatements();
  }

  forgetStatements(): void {
    this.names.clear();
    this.statements.clear();
    this.portals.clear();
  }

  /** LISTEN and UNLISTEN count from the commit on. */
  listens(some: Listening): void {
    this.#pending.push(some);
  }

  forgetListens(): void {
    this.#pending = [];
  }

  /** A transaction has ended. */
  settle(): void {
    for (const { channel, on } of this.#pending) {
      if (on) this.channels.add(channel);
      else if (channel === '*') this.channels.clear();
      else this.channels.delete(channel);
    }
    this.#pending = [];
    this.portals.clear();
  }
}
