/** For the tests of this folder: a project written into a temporary folder. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadProject, type LoadOptions, type Project } from '../project/load.ts';

export interface TestProject {
  readonly load: LoadOptions;
  readonly project: Project;
  remove(): Promise<void>;
}

const basics: Record<string, string> = {
  'package.json': '{"name": "shop", "seg": {"name": "shop", "profile": "shop", "vars": {"rate": 2}}}',
  'profiles.yml':
    'shop:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: memory, schema: shop, threads: 1}\n',
  'models/sources.yml': `sources:
  - name: till
    tables:
      - name: orders
        config: {key: id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: integer}
          - {name: customer, data_type: text, not_null: true}
          - {name: amount, data_type: "numeric(10,2)"}
          - {name: at, data_type: timestamptz}
          - {name: extra, data_type: jsonb}
`,
  'seeds/prices.csv': 'name,price\nred,1.5\nblue,2\n',
  'models/totals.sql': `{{ config(materialized='materialized_view', unique_key='customer') }}
select customer, sum(amount) * {{ var('rate') }} as total, count(*) as orders, max(at) as last_at
from {{ source('till', 'orders') }} group by customer
`,
  'models/big_orders.sql': `{{ config(materialized='ephemeral') }}
select id, customer, amount from {{ source('till', 'orders') }} where amount > 100
`,
  'models/big_customers.sql': `select distinct customer, '{{ env_var("SHOP", "none") }}' as shop from {{ ref('big_orders') }}`,
  'models/recent.sql': `{{ config(materialized='materialized_view') }}
select customer from {{ ref('totals') }} where last_at > {{ now() }} - interval '1 day'
`,
  'models/report.sql': `{{ config(materialized='table') }}
select count(*) as customers from {{ ref('totals') }}
`,
  'tests/no_negative_orders.sql': `{{ config(store_failures=true) }}
select id, amount from {{ source('till', 'orders') }} where amount < 0
`,
};

export async function testProject(
  files: Record<string, string>,
  env: Record<string, string> = {},
): Promise<TestProject> {
  const root = await mkdtemp(path.join(tmpdir(), 'seg-testing-'));
  for (const [file, text] of Object.entries({ ...basics, ...files })) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  }
  const load = { projectDir: root, env };
  return { load, project: await loadProject(load), remove: () => rm(root, { recursive: true }) };
}
