/** What maintenance keeps beside a model's rows survives every way in which a deployment touches them. */
import { afterAll, expect, test } from 'vitest';
import type { Connection } from '../engines/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { allNodes } from '../project/manifest.ts';
import { testProject } from '../testing/test-project.ts';
import { verify } from '../verify/verify.ts';
import { readDeployed } from '../state/nodes.ts';
import { Deployer } from './deployer.ts';
import type { RelationNode } from '../project/nodes.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());

async function deploy(sql: string, options: { fullRefresh?: boolean } = {}): Promise<void> {
  const made = await testProject({
    'models/totals.sql': `{{ config(materialized='materialized_view') }}\n${sql}\n`,
  });
  await db.transaction(async (tx: Connection) => {
    const deployer = await Deployer.begin(tx, made.project);
    const nodes = [...allNodes(made.project.manifest).values()];
    for (const name of ['orders', 'totals'])
      await deployer.deploy(nodes.find((node) => node.name === name) as RelationNode, options);
    await deployer.finish();
  });
  await made.remove();
}

async function hidden(): Promise<string[]> {
  const state = [...(await readDeployed(db, '_seg')).values()].find(({ label }) =>
    label.includes('totals'),
  )!.state;
  const { rows } = await db.query<{ name: string }>(
    `SELECT attname::text AS name FROM pg_attribute WHERE attrelid = format('_seg.%I', $1::text)::regclass
     AND attnum > 0 AND NOT attisdropped AND attname LIKE '\\_seg%' ORDER BY attnum`,
    [state],
  );
  return rows.map(({ name }) => name.replace(/_\d+$/, ''));
}

test('in the table of a model', async () => {
  const change = async (from: number): Promise<void> => {
    await db.exec(
      `INSERT INTO shop.orders (id, customer, amount) SELECT i, 'c' || i % 3, i FROM generate_series(${from}, ${from + 9}) AS i;
       DELETE FROM shop.orders WHERE id % 4 = 0; UPDATE shop.orders SET amount = amount + 1 WHERE id % 5 = 0`,
    );
    expect(await verify(db)).toMatchObject([{ missing: 0, extra: 0 }]);
  };
  const orders = "{{ source('till', 'orders') }}";
  await deploy(`select customer, max(amount) as m from ${orders} group by customer`);
  expect(await hidden()).toEqual(['_seg_count']);
  await change(1);
  // Without a change, and from nothing.
  await deploy(`select customer, max(amount) as m from ${orders} group by customer`);
  await change(20);
  await deploy(`select customer, max(amount) as m from ${orders} group by customer`, { fullRefresh: true });
  expect(await hidden()).toEqual(['_seg_count']);
  await change(40);
  // Other rows and other state under the same columns.
  await deploy(`select customer, round(avg(amount)) as m from ${orders} where id > 3 group by customer`);
  expect(await hidden()).toEqual(['_seg_count', '_seg_count', '_seg_sum']);
  await change(60);
  // None any more, and other columns.
  await deploy(`select id, amount from ${orders}`);
  expect(await hidden()).toEqual([]);
  await change(80);
});
