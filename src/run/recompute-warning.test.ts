import { afterAll, expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { testProject } from '../testing/test-project.ts';
import { executeGraph } from './execute.ts';

const db = await openMemoryDatabase();
afterAll(() => db.close());

const model = (sql: string, config = ''): string =>
  `{{ config(materialized='materialized_view'${config}) }}\n${sql}\n`;
const count = "select count(*) as n from {{ source('till', 'orders') }}";
const recursive = (condition: string): string =>
  `with recursive r(n) as (${count} where ${condition} union all select n - 1 from r where n > 0) select n from r`;

/** Warnings of a run of all models. */
async function warnings(files: Record<string, string>): Promise<string[]> {
  const made = await testProject(files);
  const { load, project } = made;
  const found: string[] = [];
  await executeGraph({
    project,
    load,
    db,
    selected: new Set(Object.keys(project.manifest.nodes)),
    mode: 'run',
    listener: (event) => {
      if (event.kind === 'message' && event.level === 'warn') found.push(event.text);
    },
  });
  await made.remove();
  return found;
}

test('a model that recomputes is named in the run that makes or changes it', async () => {
  const files = {
    'models/all_orders.sql': model(recursive('true')),
    'models/meant.sql': model(count, ", maintenance='recompute'"),
    // Its count is an intermediate result: the model itself follows the change.
    'models/beside.sql': model(
      "select customer, (select count(*) from {{ source('till', 'orders') }}) as n from {{ source('till', 'orders') }}",
    ),
  };
  const first = await warnings(files);
  expect(first).toHaveLength(1);
  expect(first[0]).toMatch(/^a model is computed anew .*\n {2}model "all_orders": .+\n/);
  expect(first[0]).not.toMatch(/meant"|beside|totals/);
  expect(await warnings(files)).toEqual([]);
  const changed = await warnings({ ...files, 'models/all_orders.sql': model(recursive('amount > 1')) });
  expect(changed).toHaveLength(1);
  const part = await warnings({
    ...files,
    'models/part.sql': model(
      `select o.customer, r.n from (${recursive('true')}) as r join {{ source('till', 'orders') }} as o on o.amount = r.n`,
    ),
  });
  expect(part[0]).toContain('model "part": this part of the query alone, because of WITH RECURSIVE');
});
