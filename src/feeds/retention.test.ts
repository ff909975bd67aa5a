import { afterAll, beforeAll, expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { ensureState } from '../state/schema.ts';
import { writeDeployed } from '../state/nodes.ts';
import type { Project } from '../project/load.ts';
import { readChanges } from './feed.ts';
import { positionOf } from './position.ts';
import { pruneChanges } from './retention.ts';

let db: PGliteDatabase;

beforeAll(async () => {
  db = await openMemoryDatabase();
  await ensureState(db, '_seg');
});
afterAll(() => db.close());

async function feed(name: string): Promise<number> {
  const node = await writeDeployed(db, '_seg', {
    uniqueId: `model.p.${name}`,
    name,
    label: `model "${name}"`,
    kind: 'materialized_view',
    schema: 'public',
    relation: name,
    state: name,
    definition: 'select 1 as a',
    reads: [],
    columns: [{ name: 'a', type: 'integer', hashable: true }],
    key: ['a'],
    fingerprint: '',
    keepChanges: true,
    settings: { label: `model "${name}"` },
  });
  return node.id;
}

it('drops what is too old or too much, and says so to readers that come too late', async () => {
  const [old, many, rest] = [await feed('old'), await feed('many'), await feed('rest')];
  // 100 steps, one an hour.
  await db.exec(`
    INSERT INTO _seg.step SELECT n, clock_timestamp() - (100 - n) * interval '1 hour' FROM generate_series(1, 100) AS n;
    INSERT INTO _seg.changelog SELECT n, node, 1, jsonb_build_object('a', n)
      FROM generate_series(1, 100) AS n, unnest('{${old},${many},${rest}}'::integer[]) AS node WHERE n % 2 = 0;
    UPDATE _seg.epoch SET epoch = 100`);
  const config = (values: object) => ({ config: values });
  const project = {
    target: { fields: {}, schema: 'public' },
    manifest: {
      nodes: {
        'model.p.old': config({ retain_history: '10 hours 30 minutes' }),
        'model.p.many': config({ retain_changes: 3 }),
        'model.p.rest': config({}),
      },
    },
  } as unknown as Project;
  const epochs = async (name: string, from: number) =>
    (await readChanges(db, `model.p.${name}`, positionOf(from))).map(({ position }) =>
      Number(`0x${position.slice(1)}`),
    );
  expect(await pruneChanges(db, project)).toBe(44 + 47);
  expect(await epochs('old', 88)).toEqual([90, 92, 94, 96, 98, 100]);
  expect(await epochs('many', 94)).toEqual([96, 98, 100]);
  expect(await epochs('rest', 0)).toHaveLength(50);
  await expect(readChanges(db, 'model.p.old', positionOf(87))).rejects.toMatchObject({
    diagnostics: [{ code: 'SEG706' }],
  });
  const steps = await db.query<{ n: number }>('SELECT count(*)::integer AS n FROM _seg.step');
  expect(steps.rows[0]!.n).toBe(99);
  expect(await pruneChanges(db, project)).toBe(0);
  const wrong = { ...project, manifest: { nodes: { 'model.p.old': config({ retain_history: 'a while' }) } } };
  await expect(pruneChanges(db, wrong as unknown as Project)).rejects.toMatchObject({
    diagnostics: [{ code: 'SEG714' }],
  });
});
