import { PreparedNames } from './prepared-names.ts';
import type { Listening } from './statement.ts';
import type { SessionState } from './wire-engine.ts';

/** What a client has of its own in the one session that all of them share. */
export class ClientSession {
  readonly state: SessionState;
  readonly names: PreparedNames;
  /** Channels it listens to. */
  readonly channels = new Set<string>();
  madeTemporary = false;
  #pending: Listening[] = [];

  constructor(pid: number, settings: ReadonlyMap<string, string>, reader: boolean) {
    this.names = new PreparedNames(pid);
    this.state = {
      reader,
      settings: new Map(settings),
      customSettings: new Set([...settings.keys()].filter((name) => name.includes('.'))),
      role: 'none',
      changed: settings.size > 0,
    };
  }

  /** Whether something of it was in the engine alone. */
  get hasLost(): boolean {
    return this.madeTemporary || this.state.changed || this.channels.size > 0 || this.names.all().length > 0;
  }

  forgetAll(): void {
    this.madeTemporary = false;
    this.channels.clear();
    this.names.clear();
  }

  /** LISTEN and UNLISTEN count from the commit on. */
  listens(some: readonly Listening[]): void {
    this.#pending.push(...some);
  }

  forgetListens(): void {
    this.#pending = [];
  }

  settleListens(): void {
    for (const { channel, on } of this.#pending) {
      if (on) this.channels.add(channel);
      else if (channel === '*') this.channels.clear();
      else this.channels.delete(channel);
    }
    this.#pending = [];
  }
}
