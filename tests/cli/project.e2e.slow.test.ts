import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';

/** What `seg init` writes is the project these tests run: it has to work as it comes. */
const project = new TestProject();
const seg = (args: string | string[], options: Parameters<TestProject['seg']>[1] = {}) =>
  project.seg(args, { cwd: 'shop_demo', ...options });

beforeAll(async () => {
  const { status, log } = await project.seg('init shop_demo');
  expect({ status, log }).toMatchObject({ status: 0 });
});
afterAll(() => project.remove());

describe('a new project', () => {
  it('is not written over', async () => {
    const { status, log } = await project.seg('init shop_demo');
    expect(status).toBe(2);
    expect(log).toContain('SEG914: folder "shop_demo" is not empty');
  });

  it('lists its nodes in four forms', async () => {
    const names = (await seg('ls --resource-type model seed source')).stdout;
    expect(names).toBe(
      [
        'shop_demo.products',
        'shop_demo.recent_orders',
        'shop_demo.revenue',
        'shop_demo.staging.stg_orders',
        'source:shop_demo.shop.orders',
        '',
      ].join('\n'),
    );
    expect((await seg('ls -m revenue --output name')).stdout).toBe('revenue\n');
    expect((await seg('ls -s +revenue --output path --resource-type model')).stdout).toBe(
      'models/revenue.sql\nmodels/staging/stg_orders.sql\n',
    );
    const json = await seg(
      'ls -s revenue --resource-type model -o json --output-keys name config.materialized',
    );
    expect(JSON.parse(json.stdout)).toEqual({ name: 'revenue', 'config.materialized': 'materialized_view' });
  });

  it('warns of a selection that matches nothing, with exit code 0', async () => {
    const { status, stdout, log } = await seg('ls --select revenu');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(log).toContain(
      `The selection criterion 'revenu' does not match any enabled nodes. Did you mean "revenue"?`,
    );
    expect(log).toContain('No nodes selected!');
    const run = await seg('run --select nothing_here');
    expect(run.status).toBe(0);
    expect(run.log).toContain('Nothing to do. Try checking your model configs and model specification args');
    expect((await seg('run --select nothing_here --warn-error')).status).toBe(2);
  });

  it('compiles', async () => {
    const { status, stdout, log } = await seg('compile --select stg_orders');
    expect(status).toBe(0);
    expect(log).toContain(`Compiled node 'stg_orders' is:`);
    expect(stdout).toContain('from "shop_demo"."orders"');
    expect(project.read('shop_demo/target/compiled/shop_demo/models/staging/stg_orders.sql')).toContain(
      '"orders"',
    );
    const inline = await seg(['compile', '-q', '--inline', `select * from {{ ref('revenue') }}`]);
    expect(inline).toMatchObject({ status: 0, log: '', stdout: 'select * from "shop_demo"."revenue"\n' });
  });

  it('builds, and then has nothing to do', async () => {
    const { status, log } = await seg('build');
    expect(log).toContain('Found 3 models, ');
    expect(log).toContain("Concurrency: 4 threads (target='dev')");
    expect(log).toMatch(
      /\d of 12 OK created sql materialized_view model shop_demo.revenue \.+ \[SELECT 0 in \d+\.\d\ds\]/,
    );
    expect(log).toMatch(/\d of 12 OK loaded seed file shop_demo.products \.+ \[INSERT 3 in/);
    expect(log).toMatch(/12 of 12 PASS a_morning_at_the_shop \.+ \[PASS in/);
    expect(log).toContain('Ran 8 tests, 8 passed, 0 failed');
    expect(log).toContain('Completed successfully');
    expect(log).toContain('Done. PASS=12 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=12');
    expect(status).toBe(0);
    const results = project.json<{
      results: { unique_id: string; status: string }[];
      args: { which: string };
    }>('shop_demo/target/run_results.json');
    expect(results.args.which).toBe('build');
    expect(results.results).toHaveLength(12);
    expect(project.read('shop_demo/logs/seg.log')).toContain(
      '[debug] [MainThread]: Command `seg build` succeeded',
    );

    const again = await seg('run');
    expect(again.log).toContain('Done. PASS=0 WARN=0 ERROR=0 SKIP=0 NO-OP=3 TOTAL=3');
    expect((await seg('run --quiet')).log).toBe('');
  });

  it('ingests, counts, and keeps what is wrong', async () => {
    const first = await seg('ingest orders data/orders.ndjson');
    expect(first.status).toBe(0);
    expect(first.log).toContain('Ingested into shop.orders: 6 accepted, 1 duplicate, 0 rejected');
    const broken = await seg('ingest shop.orders --strict', { stdin: '{"event": 1}\nno json\n' });
    expect(broken.status).toBe(1);
    expect(broken.log).toContain('<stdin>:2: rejected: not JSON');
    expect(broken.log).toContain('0 accepted, 0 duplicate, 2 rejected');
    const letters = await seg([
      'show',
      '-o',
      'csv',
      '--inline',
      'select line from shop_demo.orders__rejected order by line',
    ]);
    expect(letters.stdout).toBe('line\n1\n2\n');
    expect((await seg('ingest ordres x')).status).toBe(2);
    expect((await seg('ingest ordres')).log).toContain('Did you mean "orders"');
  });

  it('shows rows as table, JSON and CSV', async () => {
    const table = await seg('show --select revenue');
    expect(table.stdout).toBe(
      [
        '| product | orders | revenue |',
        '| ------- | ------ | ------- |',
        '| coffee  |      2 |   18.00 |',
        '| tea     |      2 |   13.50 |',
        '',
      ].join('\n'),
    );
    expect(table.log).toContain(`Previewing node 'revenue':`);
    expect(JSON.parse((await seg('show -s revenue --output json --limit 1')).stdout)).toEqual({
      node: 'revenue',
      show: [{ product: 'coffee', orders: 2, revenue: 18 }],
    });
    expect((await seg('show -s products --output csv --limit -1')).stdout).toBe(
      'product,price\ntea,4.50\ncoffee,6.00\ncocoa,5.25\n',
    );
    const wrong = await seg(['show', '--inline', `select produkt from {{ ref('revenue') }}`]);
    expect(wrong.status).toBe(1);
    expect(wrong.log).toContain('<inline>:1:8: error');
    expect(wrong.log).toContain('       ~~~~~~~');
  });

  it('explains how its models are kept', async () => {
    const { status, stdout } = await seg('explain revenue');
    expect(status).toBe(0);
    expect(stdout).toContain(
      [
        'view "shop_demo"."revenue"',
        '│   rekey: rows are put together by product',
        '│   a change costs the partitions that the change touches, recomputed by index',
      ].join('\n'),
    );
    expect(stdout).toMatch(/└─ GROUP BY\n {3}└─ filter\n/);
    expect(stdout).toContain('├─ "shop_demo"."orders"\n');
    expect(stdout).toMatch(/indexes made for it:\n {2}CREATE INDEX \w+ ON shop_demo\.orders /);
    const all = (await seg('explain --output json')).stdout.trimEnd().split('\n');
    expect(all.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        node: 'recent_orders',
        current: true,
        stages: [{ number: null, clock: { due: [{ value: 'ordered_at' }], whole: [] } }],
      },
      { node: 'revenue', stages: [{ strategy: 'rekey', operators: { operator: 'GROUP BY' } }] },
    ]);
    const around = await seg('explain +revenue');
    expect(around.status).toBe(0);
    expect(around.stdout).toContain('model "stg_orders"\n  a view: nothing is stored');
    expect(around.stdout).toMatch(
      /source "orders"\n.*\n {2}each write to it brings up to date, in this order \(\d+\):\n/,
    );
    const measured = await seg('explain revenue --analyze');
    expect(measured.status).toBe(0);
    expect(measured.stdout).toMatch(/INSERT of 1 row into "shop_demo"\."orders": \d+\.\d+ ms/);
    expect(measured.stdout).toMatch(/"shop_demo"\."revenue" +rekey +1 +\d+ +\d+\.\d+/);
    const { stdout: data } = await seg('explain revenue --analyze --output json');
    const { analysis } = JSON.parse(data) as { analysis: { batches: unknown[] } };
    expect(analysis.batches[0]).toMatchObject({ statement: 'INSERT', rows: 1, steps: [{ rowsIn: 1 }] });
    project.write('shop_demo/models/fresh.sql', `select * from {{ ref('revenue') }}\n`);
    const fresh = await seg('explain fresh');
    expect(fresh.status).toBe(1);
    expect(fresh.log).toContain('SEG920: model "fresh" is not deployed');
    expect(fresh.log).toContain('Run "seg run --select fresh" first.');
    rmSync(join(project.root, 'shop_demo/models/fresh.sql'));
  });

  it('follows a change to its end, moves the clock, and verifies', async () => {
    const { stdout } = await seg('subscribe revenue --no-follow');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ op: 'snapshot', row: { product: 'tea', orders: 2 }, last: true });
    project.write('shop_demo/seeds/products.csv', 'product,price\ntea,5.00\ncoffee,6.00\ncocoa,5.25\n');
    expect((await seg('seed')).log).toContain('[UPDATE 1 in');
    const changes = await seg([
      'subscribe',
      'revenue',
      '--no-follow',
      '--from',
      lines[1]!['position'] as string,
    ]);
    expect(JSON.parse(changes.stdout)).toMatchObject({
      op: 'update',
      key: { product: 'tea' },
      row: { revenue: 15 },
      before: { revenue: 13.5 },
      last: true,
    });
    const before = (await seg('clock')).stdout.trim();
    const after = (await seg(['clock', '+90 minutes', '--confirm'])).stdout.trim();
    expect(Date.parse(after) - Date.parse(before)).toBe(90 * 60_000);
    expect((await seg('clock 2001-01-01')).status).toBe(1);
    // Nothing would bring it back.
    const ahead = await seg('clock tomorrow');
    expect(ahead.status).toBe(1);
    expect(ahead.log).toMatch(
      /error SEG\d+: .* is more than an hour ahead of the present\n.*seg clock INSTANT --confirm/,
    );
    expect((await seg('clock')).stdout.trim()).toBe(after);
    const verified = await seg('verify');
    expect(verified.status).toBe(0);
    expect(verified.log).toContain('Verified 2 maintained views: each equals its recomputation');
  });

  it('tells failures, with exit code 1, and retries them', async () => {
    project.write(
      'shop_demo/tests/revenue_is_positive.sql',
      `select * from {{ ref('revenue') }} where revenue > 0\n`,
    );
    const failed = await seg('test --select test_type:singular --junit-xml out/report.xml');
    expect(failed.status).toBe(1);
    expect(failed.log).toMatch(/1 of 1 FAIL 2 revenue_is_positive \.+ \[FAIL 2 in/);
    expect(failed.log).toContain('Completed with 1 error, 0 partial successes, and 0 warnings:');
    expect(failed.log).toContain('Failure in test revenue_is_positive (tests/revenue_is_positive.sql)');
    expect(failed.log).toContain('  Got 2 results, configured to fail if != 0');
    expect(failed.log).toContain(
      '  compiled code at target/compiled/shop_demo/tests/revenue_is_positive.sql',
    );
    expect(project.read('shop_demo/out/report.xml')).toContain('revenue_is_positive');
    const selected = await seg('ls --select result:fail --state target');
    expect(selected.stdout).toBe('shop_demo.revenue_is_positive\n');
    project.write(
      'shop_demo/tests/revenue_is_positive.sql',
      `select * from {{ ref('revenue') }} where revenue <= 0\n`,
    );
    const retried = await seg('retry');
    expect(retried.status).toBe(0);
    expect(retried.log).toContain('Done. PASS=1 WARN=0 ERROR=0 SKIP=0 NO-OP=0 TOTAL=1');
  });

  it('plans without doing', async () => {
    project.write(
      'shop_demo/models/big_sales.sql',
      `select * from {{ ref('revenue') }} where revenue > 10\n`,
    );
    const planned = await seg('plan');
    expect(planned.status).toBe(0);
    expect(planned.stdout).toContain('| model "big_sales" | create |');
    expect(planned.log).toContain('Plan: 1 to create, 0 to change');
    expect((await seg('plan')).log).toContain('Plan: 1 to create');
  });

  it('reports mistakes at their place, all of them, with exit code 2', async () => {
    project.write('shop_demo/models/big_sales.sql', `select *\nfrom {{ ref('revnue') }}\n`);
    const { status, log } = await seg('run');
    expect(status).toBe(2);
    expect(log).toContain('models/big_sales.sql:2:');
    expect(log).toMatch(/2 \| from \{\{ ref\('revnue'\) \}\}\n +\| +~+/);
    expect(log).toContain('Did you mean "revenue"?');
    project.write('shop_demo/models/big_sales.sql', `select * from {{ ref('revenue') }}\n`);
  });

  it('checks the connection', async () => {
    const { status, log } = await seg('debug');
    expect(status).toBe(0);
    expect(log).toContain('  profiles.yml file [OK found and valid]');
    expect(log).toMatch(/server: PostgreSQL \d+/);
    expect(log).toContain('All checks passed!');
    const wrong = await seg('debug --target nowhere');
    expect(wrong.status).toBe(1);
    expect(wrong.log).toContain('  profiles.yml file [ERROR invalid]');
    expect(wrong.log).toContain('1 check failed:');
  });

  it('hides secrets', async () => {
    const { log } = await seg(['ls', '--select', 'hunter2', '--debug'], {
      env: { DBT_ENV_SECRET_X: 'hunter2' },
    });
    expect(log).toContain(`'*****' does not match`);
    expect(log).not.toContain('hunter2');
  });

  it('cleans, and never beyond its own folders', async () => {
    expect((await seg('clean')).status).toBe(0);
    expect(existsSync(join(project.root, 'shop_demo/target'))).toBe(false);
    expect(readdirSync(join(project.root, 'shop_demo'))).toContain('models');
    const file = project.read('shop_demo/dbt_project.yml');
    for (const target of ['../elsewhere', '.', 'models', '/']) {
      project.write('shop_demo/dbt_project.yml', file.replace('[target, logs]', `["${target}"]`));
      const refused = await seg('clean');
      expect(refused.status).toBe(2);
      expect(refused.log).toMatch(/SEG905|SEG917/);
    }
    project.write('shop_demo/dbt_project.yml', file);
  });
});
