import { describe, expect, it } from 'vitest';
import { loadFiles, show, withProject } from './fixture.ts';
import { loadProject } from './load.ts';
import type { ModelNode, SeedNode, TestNode } from './nodes.ts';
import type { Project } from './load.ts';

const node = (project: Project, id: string): ModelNode | TestNode => {
  const found = project.manifest.nodes[id];
  if (found === undefined || found.resource_type === 'seed') throw new Error(`no ${id}`);
  return found;
};
const model = (project: Project, name: string) => node(project, `model.shop.${name}`) as ModelNode;
const sql = (project: Project, name: string) => model(project, name).compiled_code;

const shop = {
  'models/staging/stg_orders.sql': "select id, amount from {{ source('shop', 'raw_orders') }};\n",
  'models/orders.sql':
    "{{ config(materialized='incremental', unique_key='id') }}\nselect * from {{ ref('stg_orders') }}",
  'models/shop.yml': `version: 2
sources:
  - name: shop
    description: where orders come from
    tables:
      - name: raw_orders
        key: id
        columns:
          - {name: id, data_type: bigint, data_tests: [unique]}
          - {name: amount, data_type: numeric, path: payload.amount}
models:
  - name: orders
    description: "{{ doc('orders') }}"
    columns:
      - name: id
        description: the key
        data_tests: [not_null, {accepted_values: {arguments: {values: [1, 2]}, config: {severity: warn, where: "id > {{ var('low') }}"}}}]
`,
  'models/docs.md': '# x\n{% docs orders %}\nAll orders.\n{% enddocs %}\n',
  'dbt_project.yml': 'name: shop\nprofile: shop\nvars: {low: 10}\n',
  'seeds/prices.csv': 'id,price\n1,2\n',
};

describe('a project', () => {
  it('becomes a manifest in dbt’s shape', async () => {
    const { manifest, warnings } = await loadFiles(shop);
    expect(warnings).toEqual([]);
    expect(Object.keys(manifest.nodes).sort()).toEqual([
      'model.shop.orders',
      'model.shop.stg_orders',
      'seed.shop.prices',
      'test.shop.accepted_values_orders_id__1__2.3d4eb8fc3b',
      'test.shop.not_null_orders_id.84ef11d8fe',
      'test.shop.source_unique_shop_raw_orders_id.3da9a06ff8',
    ]);
    expect(manifest.nodes['model.shop.orders']).toMatchObject({
      resource_type: 'model',
      package_name: 'shop',
      path: 'orders.sql',
      original_file_path: 'models/orders.sql',
      fqn: ['shop', 'orders'],
      database: 'postgres',
      schema: 'app',
      alias: 'orders',
      relation_name: '"app"."orders"',
      description: 'All orders.',
      patch_path: 'shop://models/shop.yml',
      config: { materialized: 'materialized_view', unique_key: 'id', enabled: true, tags: [] },
      unrendered_config: { materialized: 'incremental', unique_key: 'id' },
      depends_on: { nodes: ['model.shop.stg_orders'], macros: [] },
      refs: [{ name: 'stg_orders', package: null, version: null }],
      columns: { id: { name: 'id', description: 'the key', data_type: null } },
      compiled: true,
      compiled_code: '\nselect * from "app"."stg_orders"',
    });
    expect(manifest.sources['source.shop.shop.raw_orders']).toMatchObject({
      source_name: 'shop',
      identifier: 'raw_orders',
      schema: 'app',
      key: ['id'],
      format: 'json',
      config: { on_conflict: 'append' },
      columns: { amount: { path: 'payload.amount', data_type: 'numeric' } },
      fqn: ['shop', 'shop', 'raw_orders'],
    });
    expect(manifest.parent_map['model.shop.stg_orders']).toEqual(['source.shop.shop.raw_orders']);
    expect(manifest.child_map['model.shop.stg_orders']).toEqual(['model.shop.orders']);
    expect(manifest.metadata).toMatchObject({
      dbt_schema_version: 'https://schemas.getdbt.com/dbt/manifest/v12.json',
      project_name: 'shop',
      adapter_type: 'pglite',
    });
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });

  it('has generic tests with configuration, where and metadata', async () => {
    const { manifest } = await loadFiles(shop);
    const test = Object.values(manifest.nodes).find(({ name }) =>
      name.startsWith('accepted_values'),
    ) as TestNode;
    expect(test).toMatchObject({
      column_name: 'id',
      attached_node: 'model.shop.orders',
      file_key_name: 'models.orders',
      schema: 'app_dbt_test__audit',
      path: 'accepted_values_orders_id__1__2.sql',
      original_file_path: 'models/shop.yml',
      config: {
        severity: 'WARN',
        where: 'id > 10',
        fail_calc: 'count(*)',
        warn_if: '!= 0',
        error_if: '!= 0',
      },
      test_metadata: {
        name: 'accepted_values',
        namespace: null,
        kwargs: { column_name: 'id', values: [1, 2], model: "{{ get_where_subquery(ref('orders')) }}" },
      },
      depends_on: { nodes: ['model.shop.orders'], macros: ['macro.dbt.test_accepted_values'] },
    });
    expect(test.compiled_code).toContain('from (select * from "app"."orders" where id > 10) dbt_subquery');
    expect(test.compiled_code).toMatch(/not in \(\s*'1',\s*'2'\s*\)/);
  });

  it('may stand in package.json, and is found from a folder below', async () => {
    const files = {
      'dbt_project.yml': null,
      'package.json': '{\n\t"name": "@me/shop",\n\t"seg": {"profile": "shop", "models": {"+tags": "all"}}\n}',
      'models/deep/a.sql': 'select 1 as x',
    };
    await withProject(files, async (folder) => {
      const project = await loadProject({ projectDir: `${folder}/models/deep`, env: {} });
      expect(project.root).toBe(folder);
      expect(model(project, 'a')).toMatchObject({ tags: ['all'], fqn: ['shop', 'deep', 'a'] });
    });
  });
});

describe('configuration', () => {
  it('merges as in dbt: the file over YAML over folders, tags and hooks append, meta updates', async () => {
    const project = await loadFiles({
      'dbt_project.yml': `name: shop
profile: shop
models:
  +tags: all
  +meta: {a: 1, b: 1}
  shop:
    +materialized: table
    staging:
      materialized: view
      +tags: [stage]
      +schema: raw
      a:
        +alias: renamed
`,
      'models/staging/a.sql':
        "{{ config(tags='file', meta={'c': 3}) }} select '{{ config.get('materialized') }}' as m",
      'models/staging/a.yml':
        'models:\n  - name: a\n    tags: [yaml]\n    config: {meta: {b: 2}, post-hook: "select 1"}\n',
      'models/b.sql': "{{ config(materialized='ephemeral') }} select 1 as x",
    });
    const a = model(project, 'a');
    expect(a.config).toMatchObject({
      materialized: 'view',
      tags: ['all', 'stage', 'yaml', 'file'],
      meta: { a: 1, b: 2, c: 3 },
      'post-hook': ['select 1'],
    });
    expect(a.relation_name).toBe('"app_raw"."renamed"');
    expect(a.compiled_code).toContain("select 'view' as m");
    expect(model(project, 'b').config.materialized).toBe('ephemeral');
    expect(model(project, 'b').relation_name).toBeNull();
  });

  it('disables models and the tests on them', async () => {
    const project = await loadFiles({
      'models/a.sql': 'select 1 as id',
      'models/a.yml':
        'models:\n  - name: a\n    config: {enabled: "{{ var(\'on\', false) }}"}\n    columns: [{name: id, data_tests: [unique]}]\n',
      'tests/t.sql': "select * from {{ ref('a') }}",
    });
    expect(project.manifest.nodes).toEqual({});
    expect(Object.keys(project.manifest.disabled).sort()).toEqual(['model.shop.a', 'test.shop.t']);
  });

  it('asks the project’s own generate_schema_name', async () => {
    const project = await loadFiles({
      'macros/names.sql':
        '{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or target.schema }}_{{ node.resource_type }}{% endmacro %}',
      'models/a.sql': "{{ config(schema='x') }} select 1",
      'models/b.sql': 'select 1',
    });
    expect([model(project, 'a').schema, model(project, 'b').schema]).toEqual(['x_model', 'app_model']);
  });

  it('takes variables by precedence', async () => {
    const files = {
      'dbt_project.yml':
        'name: shop\nprofile: shop\nvars: {a: root, b: root, shop: {b: package, c: package}}\n',
      'models/a.sql': "select '{{ var('a') }} {{ var('b') }} {{ var('c') }} {{ var('d', 'default') }}'",
    };
    expect(sql(await loadFiles(files), 'a')).toBe("select 'root package package default'");
    expect(sql(await loadFiles(files, { vars: { c: 'flag', d: 4 } }), 'a')).toBe(
      "select 'root package flag 4'",
    );
  });
});

describe('compiled SQL', () => {
  const ephemeral = {
    'models/e1.sql': "{{ config(materialized='ephemeral') }}\nselect 1 as x;",
    'models/e2.sql':
      "{{ config(materialized='ephemeral') }}\nwith own as (select * from {{ ref('e1') }}) select * from own",
  };

  it('has ephemeral models as common table expressions', async () => {
    const project = await loadFiles({
      ...ephemeral,
      'models/a.sql': "select * from {{ ref('e2') }} join {{ ref('e1') }} using (x)",
      'models/b.sql': "-- é\nwith recursive r as (select 1) select * from r, {{ ref('e1') }}",
    });
    expect(sql(project, 'a')).toBe(
      'with __dbt__cte__e1 as (\n\nselect 1 as x\n),  __dbt__cte__e2 as (\n\nwith own as (select * from __dbt__cte__e1) select * from own\n)\nselect * from __dbt__cte__e2 join __dbt__cte__e1 using (x)',
    );
    expect(sql(project, 'b')).toBe(
      '-- é\nwith recursive __dbt__cte__e1 as (\n\nselect 1 as x\n), r as (select 1) select * from r, __dbt__cte__e1',
    );
    const map = project.sourceMaps.get('model.shop.b')!;
    const text = sql(project, 'b')!;
    expect(map.locate(text.indexOf('1 as x'))).toMatchObject({ file: 'models/e1.sql', line: 2, column: 8 });
    expect(map.locate(text.indexOf('from r'))).toMatchObject({ file: 'models/b.sql', line: 2, column: 41 });
  });

  it('loses a closing semicolon and nothing else', async () => {
    const project = await loadFiles({
      'models/a.sql': "select ';' as x ; -- done\n",
      'models/b.sql': 'select 1 -- one; two\n',
    });
    expect(sql(project, 'a')).toBe("select ';' as x");
    expect(sql(project, 'b')).toBe('select 1 -- one; two');
  });

  it('has the clock of the engine', async () => {
    const files = { 'models/a.sql': 'select {{ now() }} as t' };
    const profile = (fields: string) => ({ 'profiles.yml': `shop: {outputs: {default: {${fields}}}}\n` });
    const remote = 'host: h, user: u, schema: s';
    expect(sql(await loadFiles(files), 'a')).toBe('select (select "now" from "_seg"."clock") as t');
    const own = profile('type: pglite, path: x, state_schema: mine');
    expect(sql(await loadFiles({ ...files, ...own }), 'a')).toBe(
      'select (select "now" from "mine"."clock") as t',
    );
    expect(sql(await loadFiles({ ...files, ...profile(`type: postgres, ${remote}`) }), 'a')).toContain(
      'from "_seg"."clock"',
    );
    expect(sql(await loadFiles({ ...files, ...profile(`type: materialize, ${remote}`) }), 'a')).toBe(
      'select mz_now() as t',
    );
    expect(sql(await loadFiles({ ...files, ...profile(`type: risingwave, ${remote}`) }), 'a')).toBe(
      'select now() as t',
    );
  });

  it('uses dbt’s helpers and macros of installed packages', async () => {
    const project = await loadFiles(
      {
        'dbt_packages/tools/dbt_project.yml': 'name: tools\nvars: {unit: 100}\n',
        'dbt_packages/tools/macros/cents.sql':
          "{% macro cents(x) %}({{ x }} / {{ var('unit') }}){% endmacro %}",
        'dbt_packages/tools/models/helper.sql': 'select 1 as h',
        'models/a.sql':
          "select {{ tools.cents('amount') }} as c, {{ dbt.datediff('a', 'b', 'day') }} as d, {{ seg.json_text('p', 'a.b') }} as j from {{ ref('tools', 'helper') }}, {{ ref('helper') }}",
        'macros/m.sql': '',
      },
      { vars: { unit: 10 } },
    );
    expect(sql(project, 'a')).toBe(
      `select (amount / 10) as c, (((b)::timestamp)::date - ((a)::timestamp)::date)::bigint as d, p -> 'a' ->> 'b' as j from "app"."helper", "app"."helper"`,
    );
    expect(model(project, 'a').depends_on.macros).toContain('macro.tools.cents');
    expect(project.manifest.nodes['model.tools.helper']).toMatchObject({
      original_file_path: 'models/helper.sql',
    });
  });

  it('of a model can be made anew with other inputs', async () => {
    const project = await loadFiles({
      ...shop,
      ...ephemeral,
      'models/n.sql':
        "select {{ now() }} as t, {{ var('low') }} as l, '{{ env_var('WHO', 'me') }}' as w {% if is_incremental() %}, 1 as i{% endif %} from {{ ref('stg_orders') }}, {{ source('shop', 'raw_orders') }}, {{ this }}, {{ ref('e2') }}",
    });
    const { text } = project.renderNode('model.shop.n', {
      refs: { stg_orders: 'given_1', e1: 'given_2' },
      sources: { 'shop.raw_orders': 'given_3' },
      this: 'given_4',
      vars: { low: 1 },
      envVars: { WHO: 'you' },
      macros: { now: "'2020-01-01'::timestamptz", is_incremental: true },
    });
    expect(text).toContain(
      "select '2020-01-01'::timestamptz as t, 1 as l, 'you' as w , 1 as i from given_1, given_3, given_4, __dbt__cte__e2",
    );
    expect(text).toContain('select * from given_2');
    expect(sql(project, 'n')).toContain(
      '(select "now" from "_seg"."clock") as t, 10 as l, \'me\' as w  from "app"."stg_orders"',
    );
  });

  it('of a query without a node', async () => {
    const project = await loadFiles({ ...shop, ...ephemeral });
    expect(project.renderInline("delete from {{ source('shop', 'raw_orders') }}")).toMatchObject({
      text: 'delete from "app"."raw_orders"',
      dependsOn: ['source.shop.shop.raw_orders'],
    });
    const about = project.manifest.nodes['seed.shop.prices'] as SeedNode;
    expect(project.renderInline('analyze {{ this }}', 'hook', about).text).toBe('analyze "app"."prices"');
    expect(project.renderInline("select * from {{ ref('e1') }}").text).toContain('with __dbt__cte__e1 as (');
    expect(() => project.renderInline("select * from {{ ref('ordrs') }}", 'query')).toThrow(
      'unknown model "ordrs"',
    );
  });
});

describe('unit tests, scenarios, exposures', () => {
  it('are linked to what they are about', async () => {
    const project = await loadFiles({
      ...shop,
      'tests/fixtures/two.csv': 'id\n1\n2\n',
      'tests/t.yml': `unit_tests:
  - name: sums
    model: orders
    given:
      - {input: ref('stg_orders'), rows: [{id: 1}]}
      - {input: "source('shop', 'raw_orders')", fixture: two}
    expect: {rows: "id\\n1\\n"}
    overrides: {vars: {low: 2}}
scenarios:
  - name: day
    at: 2021-03-19T17:00:00Z
    steps:
      - ingest: shop.raw_orders
        records: [{id: 1, note: "{{ not rendered }}"}]
      - expect: orders
        rows: []
exposures:
  - name: board
    type: dashboard
    owner: {name: me}
    depends_on: [ref('orders')]
`,
    });
    expect(project.manifest.unit_tests['unit_test.shop.orders.sums']).toMatchObject({
      model: 'orders',
      given: [
        { input: "ref('stg_orders')", format: 'dict', rows: [{ id: 1 }], fixture: null },
        { format: 'csv', rows: 'id\n1\n2\n', fixture: 'two' },
      ],
      expect: { format: 'csv', rows: 'id\n1\n' },
      overrides: { vars: { low: 2 } },
      depends_on: { nodes: ['model.shop.orders'] },
    });
    expect(project.manifest.scenarios['scenario.shop.day']).toMatchObject({
      scenario: { at: '2021-03-19T17:00:00Z' },
      depends_on: { nodes: ['model.shop.orders', 'source.shop.shop.raw_orders'] },
      step_locations: [{ file: 'tests/t.yml', line: 13 }, { line: 15 }],
    });
    expect(project.manifest.exposures['exposure.shop.board']).toMatchObject({
      depends_on: { nodes: ['model.shop.orders'] },
    });
    expect(project.manifest.child_map['model.shop.orders']).toContain('exposure.shop.board');
  });

  it('with names nobody knows are mistakes', async () => {
    const files = {
      ...shop,
      'tests/t.yml':
        "unit_tests:\n  - name: u\n    model: ordrs\n    given: [{input: ref('stg_order'), rows: []}, {input: nonsense, rows: []}]\n    expect: {rows: []}\n",
    };
    const error = await loadFiles(files).catch(
      (caught: { diagnostics: Parameters<typeof show>[0][] }) => caught,
    );
    const lines = (error as { diagnostics: Parameters<typeof show>[0][] }).diagnostics.map(show);
    expect(lines[0]).toBe(
      'tests/t.yml:2:11 SEG308 unknown model "ordrs" of unit test "u" | Did you mean "orders"?',
    );
    expect(lines[1]).toContain(
      'SEG301 unknown model "stg_order" in unit test "u" | Did you mean "stg_orders"?',
    );
    expect(lines[2]).toContain('nonsense');
  });
});

describe('tests written as macros', () => {
  it('are found in tests/generic and macros, with a custom where', async () => {
    const project = await loadFiles({
      'models/a.sql': 'select 1 as id',
      'models/a.yml':
        'models:\n  - name: a\n    data_tests:\n      - small: {name: a_is_small, limit: 5, to: "ref(\'a\')"}\n      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [id, "x y"], quote_columns: true}\n',
      'tests/generic/small.sql':
        "{% test small(model, to) %}{{ config(severity='warn') }} select * from {{ model }} except select * from {{ to }}{% endtest %}",
    });
    const test = Object.values(project.manifest.nodes).find(({ name }) => name === 'a_is_small') as TestNode;
    expect(test.compiled_code!.trim()).toBe('select * from "app"."a" except select * from "app"."a"');
    expect(test.config).toMatchObject({ limit: 5 });
    const other = Object.values(project.manifest.nodes).find(({ name }) =>
      name.startsWith('dbt_utils'),
    ) as TestNode;
    expect(other.name).toBe('dbt_utils_unique_combination_of_columns_a_id__x_y__True');
    expect(other.compiled_code).toContain('group by "id", "x y"');
  });
});
