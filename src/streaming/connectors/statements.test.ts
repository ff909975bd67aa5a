/** The statements of every connector, as they would be sent; Materialize's are read by its own parser. */
import { describe, expect, it } from 'vitest';
import { materializeParser } from '../../../tests/streaming/materialize-parser.ts';
import { loadProject } from '../../project/load.ts';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStatements } from '../desired-node.ts';
import { dialectOf } from '../dialect-of.ts';
import type { StreamingEngine } from '../dialect.ts';
import { sourceNodes } from './source-nodes.ts';

const env = { SEG_SECRET_X: "o'secret" };

async function statements(engine: StreamingEngine, connector: string, more = ''): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), 'seg-connector-'));
  try {
    mkdirSync(join(root, 'models'));
    writeFileSync(join(root, 'package.json'), '{"name": "p", "seg": {"name": "p", "profile": "p"}}');
    writeFileSync(
      join(root, 'profiles.yml'),
      `p: {target: t, outputs: {t: {type: ${engine}, host: h, user: u, dbname: d, schema: s${engine === 'materialize' ? ', cluster: c' : ''}}}}`,
    );
    writeFileSync(
      join(root, 'models', 's.yml'),
      `sources:
  - name: src
    tables:
      - name: t
        config: {key: id}
        connector: ${connector}
        columns:
          - {name: id, data_type: integer}
          - {name: v, data_type: text}
${more}`,
    );
    const project = await loadProject({ projectDir: root, env });
    const dialect = dialectOf(project.target)!;
    const [source] = Object.values(project.manifest.sources);
    return sourceNodes(project, dialect, source!).flatMap((node) =>
      createStatements(dialect, node, node.relation, new Map()),
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const secret = `"{{ env_var('SEG_SECRET_X') }}"`;
const postgres = `{type: postgres, host: pg, user: u, password: ${secret}, database: shop, table: public.t, publication: pub, slot: sl}`;
const webhook = `{type: webhook, secret: ${secret}, header: X-Hub, signature: hmac_sha1, prefix: "sha1="}`;

describe('Materialize', () => {
  it.each([
    ['postgres', postgres],
    ['webhook', webhook],
    ['webhook without a check', '{type: webhook, batched: true}'],
    ['plain secret', `{type: webhook, secret: ${secret}, signature: plain}`],
    ['load generator', '{type: load_generator, generator: auction, tick: 1s, table: bids}'],
    ['counter', '{type: load_generator, generator: counter, options: {MAX CARDINALITY: 10}}'],
    [
      'kafka',
      `{type: kafka, brokers: "a:1,b:2", topic: t, start: latest, username: u, password: ${secret}, options: {PROGRESS TOPIC: x}}`,
    ],
  ])('%s', async (_, connector) => {
    const parse = await materializeParser();
    const sent = await statements('materialize', connector);
    for (const sql of sent) parse(sql);
    expect(sent).toMatchSnapshot();
  });
});

describe('RisingWave', () => {
  it.each([
    ['postgres', postgres],
    ['webhook', webhook],
    [
      'datagen',
      '{type: datagen, rows_per_second: 5, options: {fields.id.kind: sequence, fields.id.start: 1}}',
    ],
    ['kafka without a table', `{type: kafka, brokers: a:1, topic: t, persist: false}`],
  ])('%s', async (_, connector) => {
    expect(await statements('risingwave', connector)).toMatchSnapshot();
  });
});
