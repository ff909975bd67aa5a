/** Sinks in YAML: what they read, their settings, and what is said about mistakes. */
import { describe, expect, test } from 'vitest';
import { loadFiles, mistakes } from './fixture.ts';

const base = {
  'models/sources.yml': `
sources:
  - name: shop
    tables:
      - name: orders
        config: {key: id}
        columns:
          - {name: position, data_type: bigint, generated: position}
          - {name: id, data_type: integer}
          - {name: email, data_type: text}
      - name: prices
        columns: [{name: id, data_type: integer}]
`,
  'models/totals.sql': `{{ config(materialized='materialized_view', unique_key='email') }}
select email, count(*) as orders from {{ source('shop', 'orders') }} group by email`,
  'models/plain.sql': `{{ config(materialized='view') }} select 1 as one`,
  'tests/none_big.sql': `{{ config(store_failures=true) }} select email from {{ ref('totals') }} where orders > 100`,
};
const sink = (text: string) => ({ ...base, 'models/sinks.yml': `sinks:\n  - ${text.trim()}\n` });

describe('a sink', () => {
  test('is a node of the manifest and the graph; its settings stay as written', async () => {
    const project = await loadFiles(
      sink(`name: crm
    from: ref('totals')
    type: webhook
    where: "orders > {{ var('least', 2) }}"
    mapping: {Email: lower(email), Orders: orders}
    on_delete: {status: "'gone'"}
    guard: {deletes: 0.1, changes: false}
    config:
      url: "{{ env_var('SEG_SECRET_URL') }}"
      tags: [out]
      timeout: "{{ env_var('T', '5') }}"
    notify: {type: slack, url: "{{ env_var('SLACK') }}"}`),
    );
    expect(project.manifest.sinks['sink.shop.crm']).toMatchObject({
      from: 'model.shop.totals',
      mode: 'changes',
      where: 'orders > 2',
      mapping: { Email: 'lower(email)', Orders: 'orders' },
      guard: { deletes: 0.1, changes: null, at_least: 100 },
      backfill: false,
      tags: ['out'],
      settings: { url: "{{ env_var('SEG_SECRET_URL') }}", timeout: "{{ env_var('T', '5') }}" },
      depends_on: { nodes: ['model.shop.totals'] },
    });
    expect(project.manifest.child_map['model.shop.totals']).toContain('sink.shop.crm');
  });

  test.each([
    ['totals', 'model.shop.totals'],
    ["ref('totals')", 'model.shop.totals'],
    ['"{{ ref(\'totals\') }}"', 'model.shop.totals'],
    ["source('shop', 'orders')", 'source.shop.shop.orders'],
    ['orders', 'source.shop.shop.orders'],
    ['none_big', 'test.shop.none_big'],
  ])('reads %s', async (from, id) => {
    const project = await loadFiles(
      sink(`{name: out, from: ${JSON.stringify(from.replaceAll(/^"|"$/g, ''))}, type: stdout}`),
    );
    expect(project.manifest.sinks['sink.shop.out']!.from).toBe(id);
  });
});

describe('mistakes', () => {
  test.each([
    ['from: total, type: stdout', 'SEG313', 'reads "total"'],
    ['from: "ref(\'total\')", type: stdout', 'SEG301', 'unknown model "total" in sink "s"'],
    ['from: totals, type: webhok, config: {url: x}', 'SEG112', 'Did you mean "webhook"?'],
    ['from: totals, type: webhook', 'SEG111', 'missing key "url"'],
    ['from: totals, type: webhook, config: {url: "http://x", timeout: soon}', 'SEG110', '"timeout"'],
    ['from: totals, type: hubspot, config: {token: pat-123}', 'SEG132', 'secret written into the project'],
    [
      'from: totals, type: postgres, config: {connection: "postgres://a:b@h/d", table: t}',
      'SEG132',
      'connection',
    ],
    [
      'from: totals, type: postgres, mode: changes, config: {connection: "postgres://h/d", table: t}',
      'SEG130',
      'Modes of postgres',
    ],
    ['from: totals, type: stdout, on_delete: vanish', 'SEG131', 'on_delete'],
    ['from: plain, type: stdout', 'SEG133', 'is a view'],
    ['from: prices, type: stdout', 'SEG133', 'generated: position'],
    ['from: totals, type: stdout, where: "orders >"', 'SEG314', 'no SQL expression'],
    ['from: totals, type: stdout, where: "true) from x where (true"', 'SEG314', 'no SQL expression'],
  ])('%s', async (text, code, part) => {
    const found = await mistakes(sink(`{name: s, ${text}}`));
    expect(found.join('\n')).toContain(code);
    expect(found.join('\n')).toContain(part);
    expect(found[0]).toMatch(/^models\/sinks\.yml:2:/);
  });
});
