import { describe, expect, it } from 'vitest';
import { SegError } from '../diagnostics/seg-error.ts';
import { loadFiles, mistakes, show } from './fixture.ts';

const orders = { 'models/orders.sql': 'select 1 as id' };

describe('references', () => {
  it('to an unknown model: the place in the template and the nearest names', async () => {
    expect(await mistakes({ ...orders, 'models/a.sql': "select *\nfrom {{ ref('ordrs') }}" })).toEqual([
      'models/a.sql:2:9 SEG301 unknown model "ordrs" in model "a" | Did you mean "orders"?',
    ]);
  });

  it('to unknown sources and tables are told apart', async () => {
    const files = {
      'models/s.yml': 'sources:\n  - name: shop\n    tables: [{name: events}]\n',
      'models/a.sql': "select * from {{ source('shopp', 'events') }}",
      'models/b.sql': "select * from {{ source('shop', 'event') }}",
    };
    expect(await mistakes(files)).toEqual([
      'models/a.sql:1:18 SEG304 unknown source "shopp" in model "a" | Did you mean "shop"?',
      'models/b.sql:1:18 SEG305 unknown table "event" of source "shop" in model "b" | Did you mean "events"?',
    ]);
  });

  it('to a table of a source as a model', async () => {
    const files = {
      'models/s.yml': 'sources:\n  - name: shop\n    tables: [{name: clickstream}]\n',
      'models/a.sql': "select * from {{ ref('clickstream') }}",
    };
    expect((await mistakes(files))[0]).toContain("It is a table of a source: source('shop', 'clickstream').");
  });

  it('to a disabled model', async () => {
    const files = {
      'models/off.sql': '{{ config(enabled=false) }} select 1',
      'models/a.sql': "select * from {{ ref('off') }}",
    };
    expect(await mistakes(files)).toEqual([
      'models/a.sql:1:18 SEG306 model "a" depends on model "off", which is disabled | ' +
        'Enable it, disable what depends on it too, or remove the reference.',
    ]);
  });

  it('that only show at the final render', async () => {
    const files = {
      ...orders,
      'models/a.sql': "select 1 {% if execute %}from {{ ref('orders') }}{% endif %}",
    };
    expect((await mistakes(files))[0]).toMatch(
      /^models\/a.sql:1:34 SEG307 .*-- depends_on: \{\{ ref\('orders'\) \}\}$/,
    );
    await loadFiles({
      ...files,
      'models/a.sql': `-- depends_on: {{ ref('orders') }}\n${files['models/a.sql']}`,
    });
  });

  it('in a circle: the path and every reference of it', async () => {
    const error = await loadFiles({
      'models/a.sql': "select * from {{ ref('b') }}",
      'models/b.sql': "select *\nfrom {{ ref('c') }}",
      'models/c.sql': "select * from {{ ref('a') }}",
    }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SegError);
    const [found] = (error as SegError).diagnostics;
    expect(show(found!)).toBe(
      'models/a.sql:1:18 SEG310 cycle of models: a → b → c → a | ' +
        'Remove one of these references, or move what both models need into a third one.',
    );
    expect(
      found!.notes!.map(({ message, at }) => `${at!.file}:${at!.line}:${at!.column} ${message}`),
    ).toEqual([
      'models/a.sql:1:18 a refers to b.',
      'models/b.sql:2:9 b refers to c.',
      'models/c.sql:1:18 c refers to a.',
    ]);
  });
});

describe('names', () => {
  it('of two models: both files', async () => {
    const error = await loadFiles({
      'models/x/orders.sql': 'select 1',
      'models/y/orders.sql': 'select 2',
    }).catch((caught: unknown) => caught);
    const [found] = (error as SegError).diagnostics;
    expect(found).toMatchObject({
      code: 'SEG117',
      message: 'duplicate model "orders"',
      at: { file: 'models/y/orders.sql' },
      notes: [{ at: { file: 'models/x/orders.sql' } }],
    });
  });

  it('of a model and a seed, and of two relations', async () => {
    expect((await mistakes({ ...orders, 'seeds/orders.csv': 'a\n1\n' }))[0]).toContain(
      'SEG117 duplicate seed "orders"',
    );
    const twins = { ...orders, 'models/b.sql': "{{ config(alias='orders') }} select 2" };
    expect((await mistakes(twins))[0]).toContain(
      'SEG311 model "orders" and model "b" are the same relation "app"."orders"',
    );
  });

  it('too long for PostgreSQL', async () => {
    const long = 'm'.repeat(64);
    expect((await mistakes({ [`models/${long}.sql`]: 'select 1' }))[0]).toContain('longer than 63 bytes');
  });

  it('of columns that PostgreSQL would cut, by name and place', async () => {
    const long = 'ü'.repeat(32);
    const source = (table: string): string => `sources:\n  - name: shop\n    tables:\n      - ${table}\n`;
    expect(
      await mistakes({
        'models/s.yml': source(`{name: t, columns: [{name: ${'x'.repeat(63)}}, {name: ${long}}]}`),
      }),
    ).toEqual([
      `models/s.yml:4:109 SEG120 column name "${long}" is longer than 63 bytes | Choose a shorter name: PostgreSQL would cut it.`,
    ]);
    expect((await mistakes({ 'models/s.yml': source(`{name: ${long}}`) }))[0]).toContain(
      'SEG120 relation name',
    );
    const sink = (type: string): string =>
      `sinks:\n  - {name: s, from: orders, type: ${type}, primary_key: id, mapping: {id: id, ${long}: id}, config: {connection: "{{ env_var('PG', '') }}", table: t}}\n`;
    const files = {
      'models/orders.sql': "{{ config(materialized='materialized_view', unique_key='id') }} select 1 as id",
    };
    expect((await mistakes({ ...files, 'models/x.yml': sink('postgres') }))[0]).toContain(
      `SEG120 column name "${long}"`,
    );
  });
});

describe('templates', () => {
  it('with an unknown macro', async () => {
    const files = {
      'macros/m.sql': '{% macro cents(x) %}{{ x }}{% endmacro %}',
      'models/a.sql': 'select\n  {{ cent(1) }}',
    };
    const [found] = await mistakes(files);
    expect(found).toMatch(/^models\/a.sql:2:6 SEG2\d\d .*cent.*cents/);
  });

  it('with a syntax error', async () => {
    expect((await mistakes({ 'models/a.sql': 'select 1\n{% if x %}' }))[0]).toMatch(
      /^models\/a.sql:2:\d+ SEG2\d\d /,
    );
  });

  it('with missing variables and environment variables', async () => {
    const files = {
      'dbt_project.yml': 'name: shop\nprofile: shop\nvars: {threshold: 20}\n',
      'models/a.sql': "select {{ var('treshold') }}",
      'models/b.sql': "select {{ env_var('LIMIT') }}",
      'models/c.sql': "select {{ env_var('DBT_ENV_SECRET_KEY') }}",
    };
    const found = await mistakes(files, { env: { DBT_ENV_SECRET_KEY: 'x' } });
    expect(found[0]).toMatch(
      /^models\/a.sql:1:11 SEG232 missing variable "treshold" \| Did you mean "threshold"\? /,
    );
    expect(found[1]).toMatch(/^models\/b.sql:1:11 SEG230 missing environment variable "LIMIT" \| /);
    expect(found[2]).toMatch(/^models\/c.sql:1:11 SEG231 /);
    expect(found).toHaveLength(3);
  });

  it('that ask the database', async () => {
    expect((await mistakes({ 'models/a.sql': "{% set r = run_query('select 1') %} select 1" }))[0]).toContain(
      'SEG234 run_query() is not available: seg compiles a project without a connection',
    );
  });

  it('that refuse by themselves', async () => {
    const files = { 'models/a.sql': "select 1\n{{ exceptions.raise_compiler_error('not on Sundays') }}" };
    expect((await mistakes(files))[0]).toMatch(/^models\/a.sql:2:\d+ SEG2\d\d not on Sundays/);
  });
});

describe('SQL', () => {
  it('with a syntax error: the place in the template, after text that is not ASCII', async () => {
    const files = { ...orders, 'models/a.sql': "select '€😀' as x,\n  id\nform {{ ref('orders') }}" };
    expect((await mistakes(files))[0]).toMatch(/^models\/a.sql:3:\d+ SEG401 syntax error at or near/);
  });

  it('with a syntax error inside of a macro', async () => {
    const files = {
      'macros/m.sql': '{% macro cents(x) %}\n{{ x }} / / 100\n{% endmacro %}',
      'models/a.sql': 'select\n  {{ cents(1) }} as x,',
    };
    expect((await mistakes(files))[0]).toMatch(/^(macros\/m.sql|models\/a.sql):\d+:\d+ SEG401/);
  });

  it('that is no query, more than one statement, or nothing', async () => {
    const found = await mistakes({
      'models/a.sql': 'delete from x',
      'models/b.sql': 'select 1;\n\nselect 2',
      'models/c.sql': '-- nothing',
      'models/d.sql': 'with gone as (delete from x returning 1) select * from gone',
    });
    expect(found.map((line) => line.split(' | ')[0])).toEqual([
      'models/a.sql:1:1 SEG402 model "a" is no query: DELETE',
      'models/b.sql:3:1 SEG430 more than one statement in model "b"',
      'models/c.sql:1:1 SEG431 model "c" has no SQL',
      'models/d.sql:1:1 SEG402 model "d" is no query: it writes (SELECT INTO, or a WITH that changes data)',
    ]);
  });
});

describe('YAML', () => {
  it('that is invalid: place and remedy', async () => {
    const found = await mistakes({
      'models/a.yml': 'models:\n\t- name: a\n',
      'models/b.yml': 'models:\n  - name: b\n    name: c\n',
      'models/c.yml': 'sources:\n  - name: s\n    schema: {{ target.schema }}\n',
      'models/d.yml': 'models: [1, 2\n',
      'models/e.yml': 'models: *nowhere\n',
    });
    expect(found).toEqual([
      'models/a.yml:2:1 SEG101 invalid YAML: a tab as indentation | Indent with spaces.',
      'models/b.yml:3:5 SEG101 invalid YAML: the key stands twice in the same mapping | Keep one of the two.',
      'models/c.yml:3:14 SEG103 invalid YAML: a template without quotes | Put quotes around the whole value: "{{ ... }}".',
      expect.stringMatching(/^models\/d.yml:\d:\d+ SEG101 invalid YAML/),
      expect.stringMatching(/^models\/e.yml:1:9 SEG102 /),
    ]);
  });

  it('with wrong types: what was expected', async () => {
    const found = await mistakes({
      ...orders,
      'models/a.yml':
        'models:\n  - name: orders\n    columns: id\n    config: {enabled: "maybe", tags: [1], maintenance: recompte}\n  - description: x\n',
      'models/b.yml': 'models:\n  - name: other\n    config: {enabled: "maybe", maintenance: recompte}\n',
    });
    expect(found).toEqual([
      'models/a.yml:3:14 SEG110 wrong type for "columns": expected a list, found the text "id"',
      'models/a.yml:5:5 SEG111 missing key "name" in a model | Add "name:".',
    ]);
    const configs = await mistakes({
      ...orders,
      'models/a.yml':
        'models:\n  - name: orders\n    config: {enabled: "maybe", tags: [1], maintenance: recompte}\n',
    });
    expect(configs).toEqual([
      'models/a.yml:3:23 SEG110 wrong type for "enabled": expected true or false, found the text "maybe" | Write true or false without quotes.',
      'models/a.yml:3:39 SEG110 wrong type for "tags": expected text, found the number 1 | Put quotes around it: "1".',
      'models/a.yml:3:56 SEG112 invalid value "recompte" for "maintenance" | Did you mean "recompute"? Allowed: auto, recompute.',
    ]);
  });

  it('with tests that do not exist, or get wrong arguments', async () => {
    const found = await mistakes({
      ...orders,
      'models/a.yml':
        'models:\n  - name: orders\n    columns:\n      - name: id\n        data_tests:\n          - uniqe\n          - accepted_values:\n              valus: [1]\n          - relationships: {to: "ref(\'ordrs\')", field: id}\n',
    });
    expect(found.map((line) => line.replace(/ \| Its arguments.*/, ''))).toEqual([
      'models/a.yml:6:13 SEG125 unknown generic test "uniqe" | Did you mean "unique"?',
      'models/a.yml:8:15 SEG127 test "accepted_values" has no argument "valus" | Did you mean "values"?',
      expect.stringMatching(
        /^models\/a.yml:9:\d+ SEG301 unknown model "ordrs" in test "relationships_orders_id__id__ref_ordrs_"/,
      ),
    ]);
  });
});

describe('configuration', () => {
  it('unknown keys are warnings with the nearest key, and are kept', async () => {
    const project = await loadFiles({
      ...orders,
      'dbt_project.yml': 'name: shop\nprofile: shop\nmodels:\n  shop:\n    +materailized: view\n',
      'models/b.sql': "{{ config(uniqe_key='id') }} select 1 as id",
      'models/b.yml': 'models:\n  - name: b\n    descripton: x\n    config: {maintenence: auto}\n',
    });
    expect(project.warnings.map(show)).toEqual([
      'dbt_project.yml:5:5 SEG113 unknown configuration key "materailized" in the configuration of a model | Did you mean "materialized"?',
      'models/b.yml:3:5 SEG113 unknown key "descripton" in a model | Did you mean "description"?',
      'models/b.yml:4:14 SEG113 unknown configuration key "maintenence" in the configuration of a model | Did you mean "maintenance"?',
      'models/b.sql:1:4 SEG113 unknown configuration key "uniqe_key" in the configuration of a model | Did you mean "unique_key"?',
    ]);
    expect(project.manifest.nodes['model.shop.orders']!.config.materailized).toBe('view');
  });

  it('an unknown materialization is an error where it is written', async () => {
    const files = { 'models/a.sql': "select 1\n{{ config(materialized='incremetal') }}" };
    expect((await mistakes(files))[0]).toMatch(
      /^models\/a.sql:2:4 SEG121 unknown materialization "incremetal" \| Did you mean "incremental"\?/,
    );
  });

  it('for what is not there is a warning', async () => {
    const project = await loadFiles({
      ...orders,
      'dbt_project.yml':
        'name: shop\nprofile: shop\nmodels:\n  shop:\n    stagin: {+enabled: false}\n    meta: {owner: me}\n',
      'models/staging/b.sql': 'select 1',
      'models/a.yml': 'models:\n  - name: order\n',
    });
    expect(project.warnings.map(show)).toEqual([
      'models/a.yml:2:11 SEG119 properties for model "order", which does not exist | Did you mean "orders"?',
      'dbt_project.yml:5:5 SEG114 configuration for "shop.stagin" applies to no model | Did you mean "staging"?',
      'dbt_project.yml:6:5 SEG114 configuration for "shop.meta" applies to no model | A mapping needs a plus to be a configuration: "+meta".',
    ]);
  });
});

describe('project file and profiles', () => {
  it('a folder without a project', async () => {
    expect((await mistakes({ 'dbt_project.yml': null }))[0]).toContain('SEG104 no project in ');
  });

  it('mistakes in the project file', async () => {
    expect(
      await mistakes({ 'dbt_project.yml': 'name: my-shop\nprofile: shop\nmodel-paths: models\n' }),
    ).toEqual([
      'dbt_project.yml:1:7 SEG112 invalid value "my-shop" for "name" | Use letters, digits and underscores, and no digit at the beginning.',
      'dbt_project.yml:3:14 SEG110 wrong type for "model-paths": expected a list, found the text "models"',
    ]);
  });

  it('profiles that are not there', async () => {
    expect((await mistakes({ 'profiles.yml': null }, { env: { HOME: '/nowhere' } }))[0]).toContain(
      'SEG851 no profiles.yml in ',
    );
    expect(await mistakes({ 'profiles.yml': 'shopp:\n  outputs: {}\n' })).toEqual([
      'profiles.yml:1:1 SEG852 unknown profile "shop" | Did you mean "shopp"? The project file names its profile under "profile".',
    ]);
    expect(await mistakes({}, { target: 'prod' })).toEqual([
      'profiles.yml:2:3 SEG853 unknown target "prod" in profile "shop" | Targets of this profile: default.',
    ]);
  });

  it('mistakes in a target', async () => {
    const profile = (fields: string) => ({
      'profiles.yml': `shop:\n  outputs:\n    default:\n      ${fields}\n`,
    });
    expect((await mistakes(profile('path: x')))[0]).toContain('SEG854 missing key "type"');
    expect((await mistakes(profile('type: pglit')))[0]).toBe(
      'profiles.yml:4:13 SEG855 unknown target type "pglit" | Did you mean "pglite"? Types: pglite, postgres, risingwave, materialize.',
    );
    expect((await mistakes(profile('{type: postgres, host: h, schema: s, port: "5432"}')))[0]).toBe(
      'profiles.yml:4:50 SEG110 wrong type for "port": expected a whole number, found the text "5432" | Write the number without quotes.',
    );
    expect((await mistakes(profile('{type: postgres, host: h}')))[0]).toContain(
      'SEG111 missing key "schema" in a postgres target',
    );
    expect((await mistakes(profile(`{type: pglite, path: "{{ env_var('SEG_DATA') }}"}`)))[0]).toMatch(
      /^profiles.yml:4:\d+ SEG230 missing environment variable "SEG_DATA"/,
    );
  });
});
