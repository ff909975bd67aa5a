/** Names of columns without a database, held against PostgreSQL's on the generator's queries. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { ensureState } from '../../src/state/schema.ts';
import { loadSqlParser } from '../../src/sql/parse.ts';
import { queryColumns } from '../../src/sql/query-columns.ts';
import type { ColumnNames } from '../../src/sql/query-columns.ts';
import { specOf } from './bundle.ts';
import { renderCase } from './render-case.ts';

let db: PGliteDatabase;
beforeAll(async () => {
  await loadSqlParser();
  db = await openMemoryDatabase({ size: 'large' });
});
afterAll(() => db.close());

async function columnsOf(relation: string): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 ORDER BY attnum`,
    [relation],
  );
  return rows.map(({ name }) => name);
}

it('names of generated queries are those that PostgreSQL finds', { timeout: 120_000 }, async () => {
  let compared = 0;
  for (let seed = 1; seed <= Number(process.env['SEEDS'] ?? 3); seed++) {
    await db.exec('DROP SCHEMA IF EXISTS public, "_seg", oracle CASCADE; CREATE SCHEMA public');
    await db.transaction((tx) => ensureState(tx, '_seg'));
    const { schema, views } = renderCase(specOf(seed, { views: 10, histories: 1, statements: 6 }));
    for (const statement of schema) await db.exec(statement);
    const tables = await db.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    const relations = new Map<string, ColumnNames>();
    for (const { name } of tables.rows)
      relations.set(name, { names: await columnsOf(`public."${name.replaceAll('"', '""')}"`), open: false });
    for (const { name, sql } of views) {
      const made = await db.exec(`CREATE VIEW "${name}" AS ${sql}`).then(
        () => true,
        () => false,
      );
      if (!made) continue;
      const found = queryColumns(sql, (_, relation) => relations.get(relation));
      const names = await columnsOf(`public."${name}"`);
      expect(found.unknown, sql).toEqual([]);
      // What is not known is said to be open; what is given is there.
      if (!found.output.open) expect(found.output.names, sql).toEqual(names);
      else expect(names, sql).toEqual(expect.arrayContaining([...found.output.names]));
      relations.set(name, { names, open: false });
      compared++;
    }
  }
  expect(compared).toBeGreaterThan(12);
});
