import { afterAll, beforeAll, expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import type { Project } from '../project/load.ts';
import { writeDeployed } from '../state/nodes.ts';
import { ensureState } from '../state/schema.ts';
import { FeedHub } from './hub.ts';
import { positionOf } from './position.ts';

let db: PGliteDatabase;
const project = { target: { fields: {}, schema: 'public' } } as unknown as Project;

beforeAll(async () => {
  db = await openMemoryDatabase();
  await ensureState(db, '_seg');
  await db.exec(`
    CREATE TABLE _seg.big (a integer);
    INSERT INTO _seg.big SELECT 12500 - n FROM generate_series(0, 12499) AS n;
    CREATE VIEW public.big AS SELECT * FROM _seg.big;
    UPDATE _seg.epoch SET epoch = 5`);
  await writeDeployed(db, '_seg', {
    uniqueId: 'model.p.big',
    name: 'big',
    label: 'model "big"',
    kind: 'materialized_view',
    schema: 'public',
    relation: 'big',
    state: 'big',
    definition: 'select 1 as a',
    reads: [],
    columns: [{ name: 'a', type: 'integer', hashable: true }],
    key: ['a'],
    fingerprint: '',
    keepChanges: true,
    settings: { label: 'model "big"' },
  });
});
afterAll(() => db.close());

const cursors = async () =>
  (await db.query("SELECT name FROM pg_cursors WHERE name LIKE 'seg%'")).rows.length;

it('of a large model comes in parts of one state, whatever is committed between them', async () => {
  const hub = new FeedHub(db, () => project, { oneSession: true });
  const seen: number[] = [];
  const parts: { rows: number; more: boolean }[] = [];
  for await (const item of hub.follow({ model: 'model.p.big', once: true })) {
    if (!('snapshot' in item)) throw new Error('no changes were made');
    const { rows, more, position } = item.snapshot;
    expect(position).toBe(positionOf(5));
    parts.push({ rows: rows.length, more: more === true });
    seen.push(...rows.map((row) => row['a'] as number));
    await db.exec('DELETE FROM _seg.big WHERE a % 2 = 0; UPDATE _seg.epoch SET epoch = epoch + 1');
  }
  expect(seen).toEqual(Array.from({ length: 12_500 }, (_, n) => n + 1));
  expect(parts).toHaveLength(13);
  expect(parts.map(({ more }) => more)).toEqual([...Array<boolean>(12).fill(true), false]);
  expect(await cursors()).toBe(0);
});

it('leaves no cursor behind when its reader goes, narrows, and is one part where it is small', async () => {
  const hub = new FeedHub(db, () => project, { oneSession: true });
  for await (const _ of hub.follow({ model: 'model.p.big' })) break;
  expect(await cursors()).toBe(0);
  const items = [];
  for await (const item of hub.follow({ model: 'model.p.big', where: 'a < 4', once: true })) items.push(item);
  expect(items).toMatchObject([{ snapshot: { rows: [{ a: 1 }, { a: 3 }] } }]);
});
