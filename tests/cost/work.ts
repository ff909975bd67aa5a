/** What keeping one view costs a statement: rows read and written, counted and not timed. */
import { expect } from 'vitest';
import type { Connection } from '../../src/engines/connection.ts';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { createIncrementalView, dropIncrementalView } from '../../src/incremental/incremental.ts';
import type { IncrementalView } from '../../src/incremental/incremental.ts';
import type { Domain } from './domain.ts';

export interface Work {
  readonly read: number;
  readonly written: number;
}

export interface Measured {
  readonly stages: IncrementalView['stages'];
  /** By the table of which a row came, changed or went: the most of the three. */
  readonly work: ReadonlyMap<string, Work>;
  /** Rows of the view that are not the query's after all changes. */
  readonly wrong: number;
}

async function counted(tx: Connection): Promise<Work> {
  const { rows } = await tx.query<Work>(
    `SELECT coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::integer AS read,
            coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::integer AS written FROM pg_stat_xact_user_tables`,
  );
  return rows[0]!;
}

async function workOf(tx: Connection, statement: string): Promise<Work> {
  const before = await counted(tx);
  await tx.exec(statement);
  const after = await counted(tx);
  return { read: after.read - before.read, written: after.written - before.written };
}

async function undone(db: Connection, work: (tx: Connection) => Promise<void>): Promise<void> {
  const undo = new Error('undo');
  await expect(
    db.transaction(async (tx) => {
      await work(tx);
      throw undo;
    }),
  ).rejects.toBe(undo);
}

/** What the statements cost by themselves, while no view follows them. */
export async function ownWork(
  db: PGliteDatabase,
  changes: Domain['changes'],
): Promise<ReadonlyMap<string, Work>> {
  const own = new Map<string, Work>();
  await undone(db, async (tx) => {
    for (const statement of Object.values(changes).flat()) own.set(statement, await workOf(tx, statement));
  });
  return own;
}

export async function measure(
  db: PGliteDatabase,
  query: string,
  changes: Domain['changes'],
  own: ReadonlyMap<string, Work>,
): Promise<Measured> {
  const { stages } = await createIncrementalView(db, 'shape', query);
  const read = new Set(stages.flatMap(({ reads }) => reads));
  const work = new Map<string, Work>();
  let wrong = 0;
  await undone(db, async (tx) => {
    for (const [table, statements] of Object.entries(changes)) {
      if (!read.has(`"public"."${table}"`)) continue;
      for (const statement of statements) {
        const [all, alone] = [await workOf(tx, statement), own.get(statement)!];
        const most = work.get(table) ?? { read: 0, written: 0 };
        work.set(table, {
          read: Math.max(most.read, all.read - alone.read),
          written: Math.max(most.written, all.written - alone.written),
        });
      }
    }
    const { rows } = await tx.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM ((TABLE shape EXCEPT ALL (${query})) UNION ALL ((${query}) EXCEPT ALL TABLE shape)) AS d`,
    );
    wrong = rows[0]!.n;
  });
  await dropIncrementalView(db, 'shape');
  return { stages, work, wrong };
}

/** Whether explain promises no more than what a change touches: nothing that the table's rows go through is recomputed as a whole. */
export function isPromised(stages: IncrementalView['stages'], table: string): boolean {
  const concerned = new Set([`"public"."${table}"`]);
  for (const { name, reads, cost } of stages) {
    if (!reads.some((relation) => concerned.has(relation))) continue;
    if (/\bwhole\b/.test(cost)) return false;
    concerned.add(`#${name}`);
  }
  return true;
}
