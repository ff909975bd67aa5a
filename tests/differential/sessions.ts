/**
 * Several sessions on a PostgreSQL server: transactions of all isolation levels write the tables at once, views are made and
 * tables truncated meanwhile. When all have ended, every view equals its recomputation. What one session may see of
 * another's half is PostgreSQL's business; what is left when both have committed is seg's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError } from '../../src/engines/connection.ts';
import type { Connection, Database } from '../../src/engines/connection.ts';
import { openSession } from './open-session.ts';

export interface SessionStep {
  readonly session: number;
  /** A statement, or the name of a view that is to be made. */
  readonly sql?: string;
  readonly make?: string;
}

/** What came of the steps of a schedule: errors by SQLSTATE, and those that no writer should have met. */
export interface ScheduleOutcome {
  readonly transactions: number;
  readonly errors: Readonly<Record<string, number>>;
  /** SQLSTATE and message of the errors that have seg's programs in their context. */
  readonly maintenance: readonly { readonly step: SessionStep; readonly error: DatabaseError }[];
}

class Session {
  readonly db: Database;
  readonly pid: number;
  /** Settles when what was asked of the session so far is done. */
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(db: Database, pid: number) {
    this.db = db;
    this.pid = pid;
  }

  get busy(): boolean {
    return this.#waiting > 0;
  }

  add(work: () => Promise<void>): void {
    this.#waiting++;
    this.#last = this.#last.then(work).finally(() => this.#waiting--);
  }

  settled(): Promise<void> {
    return this.#last;
  }
}

export class Sessions {
  readonly #sessions: readonly Session[];
  readonly #monitor: Connection;

  private constructor(sessions: readonly Session[], monitor: Connection) {
    this.#sessions = sessions;
    this.#monitor = monitor;
  }

  static async open(url: string, count: number, monitor: Connection): Promise<Sessions> {
    const sessions = await Promise.all(
      Array.from({ length: count }, async () => {
        const db = openSession(url);
        const { rows } = await db.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
        return new Session(db, rows[0]!.pid);
      }),
    );
    return new Sessions(sessions, monitor);
  }

  get count(): number {
    return this.#sessions.length;
  }

  /** Runs the steps in their order, each as soon as its session is free; then ends every transaction. */
  async run(
    steps: readonly SessionStep[],
    make: (db: Connection, view: string) => Promise<void>,
  ): Promise<ScheduleOutcome> {
    const errors: Record<string, number> = {};
    const maintenance: { step: SessionStep; error: DatabaseError }[] = [];
    let transactions = 0;
    let broken: Error | undefined;
    const issue = (step: SessionStep, session: Session): void =>
      session.add(async () => {
        try {
          if (step.make !== undefined) await make(session.db, step.make);
          else await session.db.exec(step.sql!);
          if (step.sql?.startsWith('COMMIT') === true) transactions++;
        } catch (error) {
          if (!(error instanceof DatabaseError)) {
            broken ??= error as Error;
            return;
          }
          errors[error.sqlstate] = (errors[error.sqlstate] ?? 0) + 1;
          if (
            /PL\/pgSQL function (_seg|"_seg")\.|compilation of/.test(error.context ?? '') ||
            step.make !== undefined
          )
            maintenance.push({ step, error });
        }
      });
    for (const step of steps) {
      const session = this.#sessions[step.session % this.count]!;
      issue(step, session);
      await this.#freeOrBlocked(session);
    }
    for (const session of this.#sessions) issue({ session: 0, sql: 'COMMIT' }, session);
    await Promise.all(this.#sessions.map((session) => session.settled()));
    if (broken !== undefined) throw broken;
    return { transactions, errors, maintenance };
  }

  /** Waits until a session has done what it was asked, or is seen to wait for another one. */
  async #freeOrBlocked(session: Session): Promise<void> {
    let delay = 1;
    while (session.busy) {
      await Promise.race([session.settled(), sleep(delay)]);
      if (!session.busy) return;
      delay = Math.min(20, delay * 2);
      const { rows } = await this.#monitor.query<{ blocked: boolean }>(
        'SELECT pg_catalog.cardinality(pg_catalog.pg_blocking_pids($1)) > 0 AS blocked',
        [session.pid],
      );
      if (rows[0]!.blocked) return;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#sessions.map(({ db }) => db.close()));
  }
}
