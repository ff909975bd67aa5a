/**
 * Turns between processes on an engine without locks. A claim is a row in seg's own schema, which its owner touches again and again.
 *
 *     look: somebody's claim stands   → wait
 *     write a claim, and look again   → alone: it is held; not alone: take it back, and try again after a random while
 *
 * Of two that write at once at least one sees the other before it holds the claim. A claim that is not touched any more is of a process that
 * was killed: it counts no longer, at once where the process was of this machine.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteRelation, quoteText } from '../sql/quote.ts';
import type { Dialect, TableColumn } from './dialect.ts';
import { ensureStateTable, stateTableExists } from './state-table.ts';

const BEAT_MS = 3000;
/** A claim that was not touched for so long is nobody's. */
const STALE_MS = 5 * BEAT_MS;
const LOOK_MS = 500;

interface ClaimRow {
  readonly name: string;
  readonly owner: string;
  readonly host: string;
  readonly pid: number;
  readonly beat: string;
}

export interface Holder {
  readonly host: string;
  readonly pid: number;
}

const columns: readonly TableColumn[] = ['name', 'owner', 'host', 'pid', 'beat'].map((name) => ({
  name,
  type: name === 'pid' || name === 'beat' ? 'bigint' : 'text',
  notNull: false,
}));

export class Claims {
  readonly #db: Connection;
  readonly #dialect: Dialect;
  readonly #table: RelationName;
  /** When a claim's beat was seen for the first time, by owner. */
  readonly #seen = new Map<string, { readonly beat: string; readonly at: number }>();

  constructor(db: Connection, dialect: Dialect, stateSchema: string) {
    this.#db = db;
    this.#dialect = dialect;
    this.#table = { schema: stateSchema, name: 'claim' };
  }

  /**
   * Does `work` while nobody else holds a claim of that name, and lets go then.
   * @param options.onWait told once, when somebody else holds it
   */
  async hold<T>(
    name: string,
    work: () => Promise<T>,
    options: { readonly signal?: AbortSignal; readonly onWait?: (holder: Holder) => void } = {},
  ): Promise<T> {
    const release = await this.take(name, options);
    try {
      return await work();
    } finally {
      await release();
    }
  }

  /** Holds a claim until the answered function is called. */
  async take(
    name: string,
    options: { readonly signal?: AbortSignal; readonly onWait?: (holder: Holder) => void } = {},
  ): Promise<() => Promise<void>> {
    const owner = await this.#acquire(name, options);
    let beat = 0;
    // A beat that does not arrive is made up by the next one.
    const timer = setInterval(() => void this.#touch(owner, ++beat).catch(() => {}), BEAT_MS);
    return async () => {
      clearInterval(timer);
      await this.#release(owner);
    };
  }

  /** The names of claims that somebody holds. */
  async held(): Promise<Set<string>> {
    let rows = await this.#rows();
    if (rows.some((row) => this.#isLive(row) && !isLocal(row))) {
      // Whether a process of another machine lives shows in its beat only.
      await sleep(BEAT_MS * 2);
      const before = new Map(rows.map(({ owner, beat }) => [owner, beat]));
      rows = (await this.#rows()).filter((row) => isLocal(row) || before.get(row.owner) !== row.beat);
    }
    return new Set(rows.filter((row) => this.#isLive(row)).map(({ name }) => name));
  }

  async #acquire(
    name: string,
    { signal, onWait }: { readonly signal?: AbortSignal; readonly onWait?: (holder: Holder) => void },
  ): Promise<string> {
    await ensureStateTable(this.#db, this.#dialect, this.#table, columns);
    for (let told = false; ;) {
      signal?.throwIfAborted();
      const others = await this.#others(name);
      if (others.length === 0) {
        const owner = randomUUID();
        await this.#write(
          `INSERT INTO ${quoteRelation(this.#table)} ("name", "owner", "host", "pid", "beat") VALUES (${[name, owner, hostname()].map(quoteText).join(', ')}, ${process.pid}, 0)`,
        );
        if ((await this.#others(name, owner)).length === 0) return owner;
        await this.#release(owner);
      } else if (!told) {
        told = true;
        onWait?.(others[0]!);
      }
      await sleep(LOOK_MS * (0.5 + Math.random()), undefined, { signal });
    }
  }

  async #others(name: string, own?: string): Promise<ClaimRow[]> {
    const rows = (await this.#rows()).filter((row) => row.name === name && row.owner !== own);
    const dead = rows.filter((row) => !this.#isLive(row));
    for (const { owner } of dead) await this.#release(owner);
    return rows.filter((row) => !dead.includes(row));
  }

  #isLive(row: ClaimRow): boolean {
    if (isLocal(row)) return isRunning(row.pid);
    const known = this.#seen.get(row.owner);
    if (known?.beat !== row.beat) {
      this.#seen.set(row.owner, { beat: row.beat, at: performance.now() });
      return true;
    }
    return performance.now() - known.at < STALE_MS;
  }

  async #rows(): Promise<ClaimRow[]> {
    if (!(await stateTableExists(this.#db, this.#dialect, this.#table))) return [];
    const text = this.#dialect.columnType('text');
    const { rows } = await this.#db.query<Omit<ClaimRow, 'pid'> & { pid: unknown }>(
      `SELECT "name", "owner", "host", "pid", "beat"::${text} AS "beat" FROM ${quoteRelation(this.#table)}`,
    );
    return rows.map((row) => ({ ...row, pid: Number(row.pid) }));
  }

  async #touch(owner: string, beat: number): Promise<void> {
    await this.#write(
      `UPDATE ${quoteRelation(this.#table)} SET "beat" = ${beat} WHERE "owner" = ${quoteText(owner)}`,
    );
  }

  async #release(owner: string): Promise<void> {
    await this.#write(`DELETE FROM ${quoteRelation(this.#table)} WHERE "owner" = ${quoteText(owner)}`);
  }

  async #write(statement: string): Promise<void> {
    await this.#db.exec(statement);
    if (this.#dialect.flush !== null) await this.#db.exec(this.#dialect.flush);
  }
}

/** Whether a process is known to be gone: one of this machine that does not run. */
export function isDead(holder: Holder): boolean {
  return isLocal(holder) && !isRunning(holder.pid);
}

function isLocal({ host }: Holder): boolean {
  return host === hostname();
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
