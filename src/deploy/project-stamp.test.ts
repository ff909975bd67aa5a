import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { loadFiles } from '../project/fixture.ts';
import { noteProject, stampSql } from './project-stamp.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  db = await openMemoryDatabase();
});
afterAll(() => db.close());

const base = {
  'models/s.yml':
    'sources: [{name: shop, tables: [{name: orders, columns: [{name: id, data_type: integer}]}]}]\n',
  'models/m.sql':
    "{{ config(materialized='materialized_view') }} select id from {{ source('shop', 'orders') }}",
};

test('differs when anything does that a server goes by, and only then', async () => {
  await db.exec('CREATE SCHEMA "_seg ö"');
  const stampOf = async (more: Record<string, string>) => {
    const { manifest } = await loadFiles({ ...base, ...more });
    await noteProject(db, '_seg ö', manifest);
    const { rows } = await db.query<{ stamp: string }>(`SELECT ${stampSql('_seg ö')} AS stamp`);
    return rows[0]!.stamp;
  };
  const stamps = [
    await stampOf({}),
    await stampOf({ 'models/t.yml': 'models: [{name: m, config: {retain_changes: 5}}]\n' }),
    await stampOf({ 'models/k.yml': 'sinks: [{name: out, from: m, type: stdout}]\n' }),
    await stampOf({ 'models/k.yml': 'sinks: [{name: out, from: m, type: stdout, where: id > 1}]\n' }),
    await stampOf({ 'models/s.yml': base['models/s.yml'].replace('integer', 'integer, path: a.id') }),
  ];
  expect(new Set(stamps).size).toBe(stamps.length);
  expect(await stampOf({})).toBe(stamps[0]);
  expect(await stampOf({ 'tests/t.sql': 'select 1 where false' })).toBe(stamps[0]);
});
