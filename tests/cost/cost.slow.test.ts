/**
 * What a change of one row costs in a shop and in one ten times as large: rows read, counted and not timed. `SEG_COST=print` prints the
 * table that docs/performance.md shows.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/engines/connection.ts';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { createIncrementalView, dropIncrementalView } from '../../src/incremental/incremental.ts';
import { rowsRead } from '../rows-read.ts';
import { changes, shapes, tables } from './shapes.ts';

const sizes = [200, 2_000] as const;
const shops = new Map<number, PGliteDatabase>();

beforeAll(async () => {
  for (const size of sizes) {
    const db = await openMemoryDatabase();
    await db.exec(tables(size));
    // The statement itself finds its rows by these.
    for (const column of ['offer (good)', 'line (purchase)']) await db.exec(`CREATE INDEX ON ${column}`);
    await db.exec('ANALYZE');
    shops.set(size, db);
  }
});
afterAll(async () => {
  for (const db of shops.values()) await db.close();
});

const total = async (db: Connection, statement: string): Promise<number> =>
  (await rowsRead(db, statement)).reduce((sum, one) => sum + one.rows, 0);

const known = new Map<Connection, Map<string, number>>();

/** What the statements read by themselves, while no view follows them. */
async function ownCosts(db: Connection): Promise<ReadonlyMap<string, number>> {
  const found = known.get(db) ?? new Map<string, number>();
  if (known.has(db)) return found;
  known.set(db, found);
  await undone(db, async (tx) => {
    for (const statement of Object.values(changes).flat()) found.set(statement, await total(tx, statement));
  });
  return found;
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

/** Rows read by each change, by table: the most of its three statements. */
async function costs(
  db: PGliteDatabase,
  query: string,
): Promise<{ cost: Map<string, number>; wrong: number }> {
  const own = await ownCosts(db);
  const view = await createIncrementalView(db, 'shape', query);
  const read = new Set(view.stages.flatMap(({ reads }) => reads));
  const cost = new Map<string, number>();
  let wrong = 0;
  await undone(db, async (tx) => {
    for (const [table, statements] of Object.entries(changes)) {
      if (!read.has(`"public"."${table}"`)) continue;
      for (const statement of statements) {
        const rows = (await total(tx, statement)) - own.get(statement)!;
        cost.set(table, Math.max(cost.get(table) ?? 0, rows));
      }
    }
    const { rows } = await tx.query(
      `(SELECT * FROM shape EXCEPT ALL (${query})) UNION ALL ((${query}) EXCEPT ALL SELECT * FROM shape)`,
    );
    wrong = rows.length;
  });
  await dropIncrementalView(db, 'shape');
  return { cost, wrong };
}

test.each(Object.entries(shapes))('%s', async (name, { query, grows = {} }) => {
  const [small, large] = [await costs(shops.get(sizes[0])!, query), await costs(shops.get(sizes[1])!, query)];
  expect([small.wrong, large.wrong]).toEqual([0, 0]);
  for (const [table, rows] of large.cost) {
    const before = small.cost.get(table) ?? 0;
    if (process.env['SEG_COST'] === 'print')
      process.stdout.write(`| ${name} | ${table} | ${before} | ${rows} |\n`);
    if (grows[table] === undefined)
      expect(rows, `rows read for ${table}`).toBeLessThanOrEqual(before * 1.5 + 20);
  }
});
