/** Requests that a fuzzer makes of the document: nothing fails inside, and every answer is one that the document knows. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestProject } from '../../../tests/cli/run-seg.ts';
import { startServing } from '../../../tests/cli/serving.ts';
import type { Serving } from '../../../tests/cli/serving.ts';

/** Of each operation. `SEG_FUZZ_CASES=150 SEG_FUZZ_SEED=2` for a long look. */
const CASES = process.env['SEG_FUZZ_CASES'] ?? '6';
const SEED = process.env['SEG_FUZZ_SEED'] ?? '1';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'unsupported_method',
  'allow_header_conformance',
];

const project = new TestProject({
  'dbt_project.yml': 'name: shop\nversion: "1.0"\nconfig-version: 2\nprofile: shop\n',
  'profiles.yml': 'shop: {target: dev, outputs: {dev: {type: pglite, path: .seg/data, schema: shop}}}\n',
  'models/schema.yml': `sources:
  - name: shop
    tables:
      - name: orders
        identifier: raw_orders
        config: {key: id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: integer}
          - {name: customer, data_type: text, path: customer.name}
          - {name: at, data_type: timestamptz}
          - {name: day, data_type: date}
          - {name: amount, data_type: "numeric(10,2)"}
          - {name: weight, data_type: double precision}
          - {name: paid, data_type: boolean}
          - {name: tags, data_type: "text[]"}
          - {name: more, data_type: jsonb}
      - name: visits
        json_schema:
          $schema: http://json-schema.org/draft-07/schema#
          type: object
          required: [id, page]
          properties:
            id: {$ref: "#/definitions/id"}
            page: {type: string, maxLength: 200}
            seconds: {type: integer, minimum: 0, maximum: 100000}
          definitions:
            id: {type: string, format: uuid}
        config: {key: id, on_conflict: upsert}
        columns:
          - {name: id, data_type: uuid}
          - {name: page, data_type: text}
          - {name: seconds, data_type: integer}
`,
  'models/orders.sql': `{{ config(materialized='materialized_view', unique_key='id') }}
select id, customer, at, day, amount, weight, paid, tags, more, at::timestamp as local from {{ source('shop', 'orders') }}
`,
  'models/by_customer.sql': `{{ config(materialized='materialized_view', unique_key=['customer', 'day']) }}
select customer, day, count(*) as orders, sum(amount) as amount from {{ ref('orders') }} group by customer, day
`,
  'models/odd names.sql': `{{ config(materialized='view') }}
select page as "pa ge", sum(seconds) as "after", count(*) as "n.gt", '{}'::json as raw, point(1, 2) as place
from {{ source('shop', 'visits') }} group by page
`,
});
let serving: Serving;

beforeAll(async () => {
  const { status, log } = await project.seg('run');
  expect({ status, log }).toMatchObject({ status: 0 });
  const orders = [
    {
      id: 1,
      customer: { name: 'Ann' },
      at: '2024-01-01T00:00:00Z',
      day: '2024-01-01',
      amount: 1.5,
      tags: ['a'],
    },
    { id: 2, weight: 0.25, paid: true, more: { a: [1] } },
  ];
  serving = await startServing(project, {
    args: ['--no-pg'],
    onServer: true,
    env: { SEG_SEGMENT_SECRET: 'a secret' },
  });
  await fetch(`${serving.http}/v1/sources/orders/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(orders),
  });
});
afterAll(async () => {
  await serving.stop();
  project.remove();
});

test('no request fails inside, and no answer is outside of the document', async () => {
  const command = process.env['SEG_TEST_SCHEMATHESIS'];
  if (command === undefined) throw new Error('run this test with "npm run test:integration"');
  const file = join(project.root, 'openapi.json');
  writeFileSync(file, await (await fetch(`${serving.http}/openapi.json`)).text());
  const args = [
    'run',
    file,
    '--url',
    serving.http,
    '--phases',
    'fuzzing',
    '--max-examples',
    CASES,
    '--seed',
    SEED,
  ];
  args.push('--checks', CHECKS.join(), '--generation-database', 'none', '--suppress-health-check', 'all');
  args.push('--continue-on-failure', '--no-color', '--warnings', 'off');
  const { code, output } = await new Promise<{ code: unknown; output: string }>((resolve) => {
    execFile(command, args, { cwd: project.root }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });
  const cases = Number(/(\d+) generated/.exec(output)?.[1] ?? 0);
  if (process.env['SEG_FUZZ_CASES'] !== undefined) console.log(output);
  expect(code, output).toBe(0);
  expect(cases, output).toBeGreaterThan(100);
  expect(serving.log()).not.toContain('HTTP request failed');
});
