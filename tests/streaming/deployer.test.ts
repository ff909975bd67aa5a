/** Deployments on stand-ins for the streaming engines: what is made again, what changes places, what stays after failures. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DatabaseError } from '../../src/engines/connection.ts';
import type { DesiredNode } from '../../src/streaming/desired-node.ts';
import type { Dialect, StreamingEngine } from '../../src/streaming/dialect.ts';
import { materialize } from '../../src/streaming/materialize.ts';
import { risingwave } from '../../src/streaming/risingwave.ts';
import { NodeStore } from '../../src/streaming/stored-node.ts';
import { StreamingDeployer } from '../../src/streaming/streaming-deployer.ts';
import type { DeployOptions } from '../../src/streaming/streaming-deployer.ts';
import { emulatedEngine } from './emulated-engine.ts';
import type { EmulatedEngine } from './emulated-engine.ts';

const base = {
  sourceMap: null,
  columns: [],
  key: [],
  onConflict: 'last',
  indexes: [],
  at: { file: 'x.sql', line: 1, column: 1 },
} as const;

function model(
  name: string,
  reads: string[],
  definition: string,
  kind: 'view' | 'materialized_view' = 'materialized_view',
): DesiredNode {
  return {
    ...base,
    uniqueId: name,
    name,
    label: `model "${name}"`,
    kind,
    relation: { schema: 's', name },
    reads,
    definition,
    fingerprint: `${kind} ${definition}`,
  };
}

const events: DesiredNode = {
  ...model('events', [], ''),
  kind: 'table',
  definition: null,
  columns: [
    { name: 'id', type: 'bigint', notNull: false },
    { name: 'v', type: 'integer', notNull: false },
  ],
  fingerprint: 'events 1',
};
const doubled = (factor = 2): DesiredNode =>
  model('doubled', ['events'], `select id, v * ${factor} as w from "s"."events"`);
const total = model('total', ['doubled'], 'select sum(w) as total from "s"."doubled"');
const shown = model('shown', ['total'], 'select total from "s"."total"', 'view');

describe.each(['risingwave', 'materialize'] as const)('%s', (engine: StreamingEngine) => {
  const dialect: Dialect = engine === 'risingwave' ? risingwave : materialize('c');
  let db: EmulatedEngine;
  beforeEach(async () => {
    db = await emulatedEngine(engine);
    await new NodeStore(db, dialect, '_seg').ensure();
    await db.exec('CREATE SCHEMA s');
  });
  afterEach(() => db.close());

  async function deploy(
    nodes: readonly DesiredNode[],
    options?: DeployOptions,
  ): Promise<Record<string, string>> {
    const deployer = new StreamingDeployer(db, dialect, new NodeStore(db, dialect, '_seg'));
    const outcomes = await deployer.deploy(nodes, options);
    return Object.fromEntries(outcomes.map(({ uniqueId, action }) => [uniqueId, action]));
  }
  const answer = async (): Promise<unknown> =>
    (await db.query('select total::integer from s.shown')).rows[0]?.['total'];
  const objects = async (): Promise<string[]> =>
    (await db.query<{ name: string }>(dialect.objectsIn('s'))).rows.map(({ name }) => name).sort();

  it('makes what is new, and moves the whole cone of what changed', async () => {
    expect(await deploy([shown, total, doubled(), events])).toEqual({
      shown: 'created',
      total: 'created',
      doubled: 'created',
      events: 'created',
    });
    await db.exec('INSERT INTO s.events VALUES (1, 10)');
    expect(await answer()).toBe(20);
    expect(await deploy([doubled()])).toEqual({ doubled: 'unchanged' });
    // Only the changed one is asked for; its readers follow, with what they are deployed as.
    expect(await deploy([doubled(3)])).toEqual({ doubled: 'changed', total: 'rebuilt', shown: 'rebuilt' });
    expect(await answer()).toBe(30);
    expect(await objects()).toEqual(['doubled', 'events', 'shown', 'total']);
  });

  it('leaves everything as it was when a part cannot be made', async () => {
    await deploy([events, doubled(), total, shown]);
    await db.exec('INSERT INTO s.events VALUES (1, 10)');
    db.before = (sql) => {
      if (/CREATE .*"total/.test(sql)) throw new DatabaseError('no', { sqlstate: 'XX000' });
    };
    expect(await deploy([doubled(3)])).toEqual({ doubled: 'held', total: 'failed', shown: 'held' });
    expect(await answer()).toBe(20);
    expect(await objects()).toEqual(['doubled', 'events', 'shown', 'total']);
    db.before = () => {};
    expect(await deploy([doubled(3)])).toEqual({ doubled: 'changed', total: 'rebuilt', shown: 'rebuilt' });
    expect(await answer()).toBe(30);
  });

  it('goes on after a kill at any statement', async () => {
    await deploy([events, doubled(), total, shown]);
    await db.exec('INSERT INTO s.events VALUES (1, 10)');
    for (let at = 0, killed = true; killed; at++) {
      let left = at;
      killed = false;
      db.before = () => {
        if (left-- !== 0) return;
        killed = true;
        throw new Error('killed');
      };
      await deploy([doubled(3 + at)]).catch(() => {});
      db.before = () => {};
      if (engine === 'materialize') await db.exec('ROLLBACK');
      await deploy([doubled(3 + at)]);
      expect(await answer()).toBe(10 * (3 + at));
      expect(await objects()).toEqual(['doubled', 'events', 'shown', 'total']);
    }
  });

  it('goes on after a kill of the first deployment', async () => {
    for (let at = 0, killed = true; killed; at++) {
      let left = at;
      killed = false;
      db.before = () => {
        if (left-- !== 0) return;
        killed = true;
        throw new Error('killed');
      };
      await deploy([events, doubled(), total, shown]).catch(() => {});
      db.before = () => {};
      if (engine === 'materialize') await db.exec('ROLLBACK');
      for (const action of Object.values(await deploy([events, doubled(), total, shown])))
        expect(['created', 'unchanged', 'changed', 'rebuilt']).toContain(action);
      expect(await objects()).toEqual(['doubled', 'events', 'shown', 'total']);
      for (const [kind, name] of [
        ['view', 'shown'],
        ['materialized_view', 'total'],
        ['materialized_view', 'doubled'],
        ['table', 'events'],
      ] as const)
        await db.exec(dialect.drop(kind, { schema: 's', name }));
    }
  });

  it('turns a view into a materialized view', async () => {
    await deploy([events, { ...doubled(), kind: 'view' }, total, shown]);
    await db.exec('INSERT INTO s.events VALUES (1, 10)');
    expect(await deploy([doubled(4)])).toMatchObject({ doubled: 'changed' });
    expect(await answer()).toBe(40);
    expect(await objects()).toEqual(['doubled', 'events', 'shown', 'total']);
  });

  it('adds a column to a table that has rows, and refuses to lose one', async () => {
    await deploy([events, doubled(), total, shown]);
    await db.exec('INSERT INTO s.events VALUES (1, 10)');
    const wider = {
      ...events,
      columns: [...events.columns, { name: 'x', type: 'text', notNull: false }],
      fingerprint: 'events 2',
    };
    expect(await deploy([wider])).toEqual({
      events: 'changed',
      doubled: 'rebuilt',
      total: 'rebuilt',
      shown: 'rebuilt',
    });
    expect(await answer()).toBe(20);
    const narrower = { ...events, columns: events.columns.slice(0, 1), fingerprint: 'events 3' };
    expect(await deploy([narrower])).toEqual({ events: 'failed' });
  });

  it('refuses to touch what it did not make', async () => {
    await db.exec('CREATE TABLE s.doubled (a integer)');
    expect(await deploy([events, doubled()])).toEqual({ events: 'created', doubled: 'failed' });
  });
});
