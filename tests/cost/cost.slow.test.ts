/**
 * What a change of one row costs at one size and at ten times of it, for shapes of queries over tables of our own. `SEG_COST=FILE`
 * writes what was counted into the part of a document between two marks (docs/performance.md).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { auctions } from './auctions.ts';
import type { Domain } from './domain.ts';
import { shop } from './shop.ts';
import { star } from './star.ts';
import { stores } from './stores.ts';
import { reportOf } from './report.ts';
import type { Row } from './report.ts';
import { isPromised, measure, ownWork } from './work.ts';
import type { Work } from './work.ts';

const sizes = [200, 2_000] as const;
const domains: { readonly [name: string]: Domain } = {
  'a shop': shop,
  'a star': star,
  'a chain of stores': stores,
  auctions,
};
const rows: Row[] = [];

describe.each(Object.entries(domains))('%s', (domain, { tables, shapes, changes }) => {
  const databases: { readonly db: PGliteDatabase; readonly own: ReadonlyMap<string, Work> }[] = [];
  beforeAll(async () => {
    for (const size of sizes) {
      const db = await openMemoryDatabase();
      await db.exec(tables(size));
      await db.exec('ANALYZE');
      databases.push({ db, own: await ownWork(db, changes) });
    }
  }, 300_000);
  afterAll(async () => {
    for (const { db } of databases) await db.close();
  });

  test.each(Object.entries(shapes))('%s', { timeout: 240_000 }, async (shape, { query, grows = {} }) => {
    const [small, large] = [
      await measure(databases[0]!.db, query, changes, databases[0]!.own),
      await measure(databases[1]!.db, query, changes, databases[1]!.own),
    ];
    expect([small.wrong, large.wrong]).toEqual([0, 0]);
    rows.push({ domain, shape, stages: large.stages, small: small.work, large: large.work, grows });
    for (const [table, work] of large.work) {
      const before = small.work.get(table)!;
      if (grows[table] !== undefined || !isPromised(large.stages, table)) continue;
      // Small tables have fewer groups for the rows of a change to fall into.
      expect(work.read, `rows read for ${table}`).toBeLessThanOrEqual(before.read * 1.5 + 20);
      expect(work.written, `rows written for ${table}`).toBeLessThanOrEqual(before.written * 1.5 + 20);
    }
  });
});

afterAll(async () => {
  const file = process.env['SEG_COST'];
  if (file === undefined || file === '') return;
  const text = await readFile(file, 'utf8');
  const [begin, end] = ['<!-- counted: begin -->\n', '<!-- counted: end -->'];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file} has no part between ${begin.trim()} and ${end}`);
  await writeFile(file, `${text.slice(0, from + begin.length)}\n${reportOf(rows, sizes)}\n${text.slice(to)}`);
});
