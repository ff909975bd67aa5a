import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { castRows } from './typed-rows.ts';
import type { TypedRelation } from './typed-rows.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

test('columns may have any name, also those the cast itself uses', async () => {
  const names = ['n', 'record', 'given', 'cast', 'c0', 'select', 'Käse "x"'];
  await db.exec(
    `create table t (${names.map((name) => `"${name.replaceAll('"', '""')}" bigint`).join(', ')})`,
  );
  const columns = names.map((name) => ({ name, type: 'bigint' }));
  const relation = { sql: '"public"."t"', title: 'model "t"', columns } as unknown as TypedRelation;
  const rows = [Object.fromEntries(names.map((name, i) => [name, i])), {}];
  expect(await castRows(db, relation, relation.columns, rows)).toEqual([
    names.map((_, i) => String(i)),
    names.map(() => null),
  ]);
});
