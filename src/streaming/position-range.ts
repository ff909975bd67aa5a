/**
 * Arrival positions for processes that write into one source at once. The engine has no sequence, so each process takes a range of
 * positions for itself, behind all that are in use or taken, and says so in seg's own schema.
 *
 *     write a range, and look again: another one overlaps → take it back, and try again after a random while
 *
 * Of two that take at once at least one sees the other. What is not used is given back at the end, and what a killed
 * process of this machine had counts no longer; after a kill on another one there is a gap.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '../engines/connection.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { quoteRelation, quoteText } from '../sql/quote.ts';
import { isDead } from './claims.ts';
import type { Dialect, TableColumn } from './dialect.ts';
import { ensureStateTable } from './state-table.ts';

const RANGE = 100_000n;

const columns: readonly TableColumn[] = [
  { name: 'source', type: 'text', notNull: false },
  { name: 'owner', type: 'text', notNull: false },
  { name: 'first', type: 'bigint', notNull: false },
  { name: 'last', type: 'bigint', notNull: false },
  { name: 'host', type: 'text', notNull: false },
  { name: 'pid', type: 'bigint', notNull: false },
];

export class PositionRange {
  readonly #db: Connection;
  readonly #dialect: Dialect;
  readonly #table: RelationName;
  readonly #source: string;
  readonly #lastUsed: () => Promise<bigint>;
  #owner: string | undefined;
  #next = 0n;
  #last = -1n;

  /** @param lastUsed the highest position that the source's table shows */
  constructor(
    db: Connection,
    dialect: Dialect,
    stateSchema: string,
    source: string,
    lastUsed: () => Promise<bigint>,
  ) {
    this.#db = db;
    this.#dialect = dialect;
    this.#table = { schema: stateSchema, name: 'position_range' };
    this.#source = source;
    this.#lastUsed = lastUsed;
  }

  /** The first of `count` positions in a row that nobody else gets. */
  async take(count: number): Promise<bigint> {
    if (this.#next + BigInt(count) - 1n > this.#last) await this.#reserve(BigInt(count));
    const first = this.#next;
    this.#next += BigInt(count);
    return first;
  }

  /** Gives back what was not used: the table shows what was. */
  async release(): Promise<void> {
    if (this.#owner === undefined) return;
    await this.#delete(this.#owner);
    this.#owner = undefined;
    this.#last = -1n;
  }

  async #reserve(count: bigint): Promise<void> {
    await ensureStateTable(this.#db, this.#dialect, this.#table, columns);
    for (;;) {
      const used = await this.#lastUsed();
      const ranges = await this.#ranges();
      const first = [used, ...ranges.map(({ last }) => last)].reduce((a, b) => (a > b ? a : b)) + 1n;
      const last = first + (count > RANGE ? count : RANGE) - 1n;
      const owner = randomUUID();
      await this.#write(
        `INSERT INTO ${quoteRelation(this.#table)} ("source", "owner", "first", "last", "host", "pid") VALUES (${quoteText(this.#source)}, ${quoteText(owner)}, ${first}, ${last}, ${quoteText(hostname())}, ${process.pid})`,
      );
      const overlaps = (await this.#ranges()).some(
        (range) => range.owner !== owner && range.first <= last && first <= range.last,
      );
      if (!overlaps) {
        await this.release();
        this.#owner = owner;
        this.#next = first;
        this.#last = last;
        return;
      }
      await this.#delete(owner);
      await sleep(200 * Math.random());
    }
  }

  async #ranges(): Promise<{ owner: string; first: bigint; last: bigint }[]> {
    const text = this.#dialect.columnType('text');
    const { rows } = await this.#db.query<Record<'owner' | 'first' | 'last' | 'host' | 'pid', string>>(
      `SELECT "owner", "first"::${text} AS "first", "last"::${text} AS "last", "host", "pid"::${text} AS "pid" FROM ${quoteRelation(this.#table)} WHERE "source" = ${quoteText(this.#source)}`,
    );
    const dead = rows.filter(({ host, pid }) => isDead({ host, pid: Number(pid) }));
    for (const { owner } of dead) await this.#delete(owner);
    return rows
      .filter((row) => !dead.includes(row))
      .map(({ owner, first, last }) => ({ owner, first: BigInt(first), last: BigInt(last) }));
  }

  async #delete(owner: string): Promise<void> {
    await this.#write(`DELETE FROM ${quoteRelation(this.#table)} WHERE "owner" = ${quoteText(owner)}`);
  }

  async #write(statement: string): Promise<void> {
    await this.#db.exec(statement);
    if (this.#dialect.flush !== null) await this.#db.exec(this.#dialect.flush);
  }
}
