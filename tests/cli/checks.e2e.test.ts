/** What needs no data is found by `seg parse` and `seg compile`, with its place and the nearest name. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';

const files = {
  'dbt_project.yml': 'name: p\nprofile: p\nmodels: {p: {+materialized: materialized_view}}\n',
  'profiles.yml': 'p:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: data, schema: app}\n',
  'seeds/products.csv': 'product,price\ntea,3\n',
  'models/sources.yml': `sources:
  - name: shop
    tables:
      - name: orders
        columns: [{name: n, data_type: bigint, generated: position}, {name: product, data_type: text}, {name: amount, data_type: numeric}]
`,
  'models/totals.sql': `select o.product, sum(o.amount) as total
from {{ source('shop', 'orders') }} as o join {{ ref('products') }} as p on p.product = o.product
group by o.product
`,
};
const project = new TestProject(files);
afterAll(() => project.remove());
beforeEach(() => {
  for (const [file, text] of Object.entries(files)) project.write(file, text);
  for (const file of ['models/more.yml', 'models/more.sql', 'tests/t.yml']) project.remove(file);
});

async function found(command = 'parse'): Promise<string[]> {
  const { status, log } = await project.seg(command);
  const lines = log.split('\n').filter((line) => / error SEG\d+: |hint: /.test(line));
  expect(status, log).toBe(lines.length > 0 ? 2 : 0);
  return lines.map((line) => line.trim());
}

describe('seg parse', { timeout: 60_000 }, () => {
  it('is content with a project in order', async () => expect(await found()).toEqual([]));

  it('finds columns and aliases that queries and tests name and nothing has', async () => {
    project.write(
      'models/totals.sql',
      files['models/totals.sql'].replace('o.amount', 'o.amuont').replace('p.product', 'q.product'),
    );
    project.write('models/more.sql', "select totl from {{ ref('totals') }} where product = 'tea'\n");
    project.write(
      'models/more.yml',
      'models:\n  - {name: totals, columns: [{name: produkt, data_tests: [not_null]}]}\n',
    );
    expect(await found()).toEqual([
      'models/totals.sql:1:23: error SEG315: column "o.amuont" does not exist (model "totals")',
      'hint: Did you mean "amount"?',
      `models/totals.sql:2:77: error SEG315: table or alias "q" does not exist (model "totals")`,
      'hint: Did you mean "o" or "p"?',
      'models/more.sql:1:8: error SEG315: column "totl" does not exist (model "more")',
      'hint: Did you mean "total"?',
      'models/more.yml:2:59: error SEG315: column "produkt" does not exist (test "not_null_totals_produkt")',
      'hint: Did you mean "product"?',
    ]);
  });

  it('finds keys of columns that are none, where they are written', async () => {
    project.write(
      'models/more.sql',
      `{{ config(
  materialized='view', unique_key=['product', 'Total']) }} select * from {{ ref('totals') }}\n`,
    );
    project.write(
      'models/more.yml',
      `models:
  - name: totals
    config:
      unique_key: prodct
seeds:
  - name: products
    config: {unique_key: [PRODUCT, prize]}
`,
    );
    expect(await found()).toEqual([
      'models/more.sql:1:4: error SEG426: unknown column "Total" in the unique_key of model "more"',
      'hint: Did you mean "total"?',
      'models/more.yml:4:7: error SEG426: unknown column "prodct" in the unique_key of model "totals"',
      'hint: Did you mean "product"?',
      'models/more.yml:7:14: error SEG426: unknown column "prize" in the unique_key of seed "products"',
      'hint: Did you mean "price"?',
    ]);
  });

  it('finds what scenarios and unit tests name wrongly', async () => {
    project.write(
      'tests/t.yml',
      `scenarios:
  - name: s
    at: 2024-02-30
    steps:
      - ingest: order
        records: []
      - advance: 5 minuts
      - expect: {totals: [{produkt: tea}]}
        changes: {total: []}
      - seed: products
        rows: [{product: tea, prize: 1}]
      - {sql: select 1}
  - name: keys
    stepz: []
    steps: [{verify: true}]
`,
    );
    project.write(
      'models/more.yml',
      `unit_tests:
  - name: u
    model: totals
    given:
      - {input: "ref('products')", rows: [{prise: 1}]}
      - {input: "source('shop', 'orders')", rows: [{amuont: 1}]}
    expect: {rows: [{totl: 1}]}
`,
    );
    expect(await found('compile')).toEqual([
      'models/more.yml:5:44: error SEG316: seed "products" has no column "prise"',
      'hint: Did you mean "price"?',
      'models/more.yml:6:53: error SEG316: source "orders" has no column "amuont"',
      'hint: Did you mean "amount"?',
      'models/more.yml:7:22: error SEG316: model "totals" has no column "totl"',
      'hint: Did you mean "total"?',
      'tests/t.yml:14:5: error SEG612: unknown key "stepz" in a scenario',
      'hint: Did you mean "steps"?',
      'tests/t.yml:3:9: error SEG318: invalid instant "2024-02-30"',
      'hint: Write an instant such as "2024-05-01T09:00:00Z".',
      'tests/t.yml:5:17: error SEG319: unknown source "order"',
      'hint: Did you mean "orders" or "shop.orders"?',
      'tests/t.yml:7:18: error SEG318: invalid interval "5 minuts": "minuts" is not a unit of time',
      'hint: Did you mean "minute" or "minutes"?',
      'tests/t.yml:8:28: error SEG316: model "totals" has no column "produkt"',
      'hint: Did you mean "product"?',
      'tests/t.yml:9:26: error SEG319: unknown model, seed or source "total"',
      'hint: Did you mean "totals"?',
      'tests/t.yml:11:31: error SEG316: seed "products" has no column "prize"',
      'hint: Did you mean "price"?',
    ]);
  });

  it('finds what a sink names wrongly, and the variables that it misses', async () => {
    project.write(
      'models/more.yml',
      `sinks:
  - name: hook
    from: ref('totals')
    type: webhook
    columns: [product, totl]
    where: produkt = 'tea'
    primary_key: [prod]
    config:
      url: "{{ env_var('SEG_TEST_NO_SUCH_URL') }}"
      per: change
      body:
        id: "{{ row.produkt }} of {{ row.product | upper }}"
        more: "{% for c in changes %}{{ c.rwo }}{{ c.row.totl }}{% endfor %}"
        name: "{{ rwo.product }}{{ row.nope | default('') }}"
`,
    );
    expect(await found()).toEqual([
      'models/more.yml:5:24: error SEG316: sink "hook": what it reads has no column "totl"',
      'hint: Did you mean "total"?',
      `models/more.yml:6:12: error SEG316: column "produkt" does not exist (sink "hook")`,
      'hint: Did you mean "product"?',
      'models/more.yml:7:18: error SEG316: a record of sink "hook" has no column "prod"',
      'hint: Did you mean "product"?',
      'models/more.yml:9:24: error SEG230: missing environment variable "SEG_TEST_NO_SUCH_URL" (sink "hook")',
      "hint: Set it, or give a default: env_var('SEG_TEST_NO_SUCH_URL', 'value').",
      'models/more.yml:12:21: error SEG316: unknown field "produkt" in the body of sink "hook"',
      'hint: Did you mean "product"?',
      'models/more.yml:13:43: error SEG316: unknown field "rwo" in the body of sink "hook"',
      'hint: Did you mean "row"?',
      'models/more.yml:14:19: error SEG210: undefined name "rwo" in the body of sink "hook"',
      'hint: Did you mean "row"?',
    ]);
  });
});
