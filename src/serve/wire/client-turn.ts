/** A client's turn at the engine: taken for its unit, kept for a transaction, lost by who is idle in one for too long. */
import { DatabaseError } from '../../engines/connection.ts';
import type { WireError } from './backend-messages.ts';
import type { SessionState } from './session-state.ts';
import type { WireHost } from './wire-host.ts';

/** Clients that keep a transaction open although they are busy, while others wait. */
const LONGEST_TRANSACTION_MS = 5 * 60_000;
/** Other seg commands deploy in one transaction, and compile meanwhile. */
const COMMANDS_PATIENCE = 20;

/** What a client is told whose wait was cancelled. */
export const CANCELLED = new Error('cancelled');

export class ClientTurn {
  readonly #host: WireHost;
  readonly #onIdle: (error: WireError) => void;
  /** Whether the client is another seg command. */
  isCommand = false;
  #end: (() => void) | undefined;
  #since = 0;
  #waiting: AbortController | undefined;
  #gone: Error | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** @param onIdle the client has been idle in a transaction for too long */
  constructor(host: WireHost, onIdle: (error: WireError) => void) {
    this.#host = host;
    this.#onIdle = onIdle;
  }

  get held(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Waits for the turn, unless it is held, and makes the session the client's.
   * @throws CANCELLED, the reason of `give`, DatabaseError 25P04 for a transaction that others have waited for long enough
   */
  async enter(session: SessionState): Promise<void> {
    clearTimeout(this.#idle);
    if (this.held) return this.#checkPatience();
    await this.take();
    try {
      await this.#host.engine.enter(session);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** Waits for the turn alone. */
  async take(): Promise<void> {
    this.#waiting = new AbortController();
    if (this.#gone !== undefined) this.#waiting.abort(this.#gone);
    try {
      this.#end = await this.#host.takeTurn(this.#waiting.signal);
    } finally {
      this.#waiting = undefined;
    }
    this.#since = Date.now();
  }

  leave(): void {
    clearTimeout(this.#idle);
    this.#end?.();
    this.#end = undefined;
    this.#host.written();
  }

  /** What waits for its turn does not run. */
  cancel(): void {
    this.#waiting?.abort(CANCELLED);
  }

  /** The client is gone: it waits no more. */
  giveUp(reason: Error): void {
    this.#gone = reason;
    this.#waiting?.abort(reason);
  }

  /** It may clean up behind itself. */
  comeBack(): void {
    this.#gone = undefined;
  }

  /** From now on the client is waited for, with the turn in its hands. */
  watchIdle(): void {
    const patience = this.#host.idleMs * (this.isCommand ? COMMANDS_PATIENCE : 1);
    clearTimeout(this.#idle);
    this.#idle = setTimeout(
      () =>
        this.#onIdle({
          sqlstate: '25P03',
          message: 'terminating connection due to idle-in-transaction timeout',
          hint: 'The embedded database has one session: while a transaction is open, nobody else can work.',
        }),
      patience,
    );
    this.#idle.unref();
  }

  stopWatching(): void {
    clearTimeout(this.#idle);
  }

  #checkPatience(): void {
    if (this.isCommand || Date.now() - this.#since <= LONGEST_TRANSACTION_MS || !this.#host.othersWait())
      return;
    throw new DatabaseError('terminating connection: the transaction has taken too long while others wait', {
      sqlstate: '25P04',
    });
  }
}
