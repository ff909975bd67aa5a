/** Every value of every type leaves through every outlet as PostgreSQL itself writes it, columns in the model's order. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Producer } from '@platformatic/kafka';
import { parse } from 'csv-parse/sync';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { feedPrinter } from '../../src/cli/feed-printer.ts';
import type { CommandContext } from '../../src/cli/context.ts';
import { preview } from '../../src/cli/commands/show.ts';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { currentPosition } from '../../src/feeds/feed.ts';
import { FeedHub } from '../../src/feeds/hub.ts';
import type { Logger } from '../../src/log/logger.ts';
import type { Project } from '../../src/project/load.ts';
import { SharedDatabase } from '../../src/serve/engine/shared-database.ts';
import { Turns } from '../../src/serve/engine/turns.ts';
import { createApp } from '../../src/serve/http/app.ts';
import { createMetrics } from '../../src/serve/metrics.ts';
import { ServerState } from '../../src/serve/server-state.ts';
import { Tokens } from '../../src/serve/tokens.ts';
import { startWireServer } from '../../src/serve/wire/wire-server.ts';
import type { WireServer } from '../../src/serve/wire/wire-server.ts';
import { deployWith, status, syncOnce, TestReceiver } from '../../src/sinks/fixture.ts';
import { quoteIdentifier } from '../../src/sql/quote.ts';
import { ownTypes, types } from './types.ts';

/** What the sinks give to a broker. */
const kafka: { topic: string; value?: unknown }[] = [];
vi.spyOn(Producer.prototype, 'send').mockImplementation(async ({ messages }) => {
  kafka.push(...messages);
  return {};
});

/** Names that neither jsonb nor an object of JavaScript leaves in this order. */
const columns = types.map((each, index) => ({
  ...each,
  name: index % 2 === 0 ? String(900 - index) : `${'z'.repeat(1 + ((index * 7) % 5))}"ü ${index}`,
}));
const rowCount = Math.max(...types.map(({ values }) => values.length));
const ids = Array.from({ length: rowCount }, (_, index) => String(9007199254740992n + BigInt(index)));

/** Relations that are read, and the columns they have. */
const relations = {
  hashed: columns.filter(({ compared }) => compared === 'by hash'),
  // Kept by recomputation: there is no hash of some of its values.
  compared: columns.filter(
    ({ compared, type }) => compared === 'by order' || /double|numeric|pair/.test(type),
  ),
  everything: columns,
};
type Relation = keyof typeof relations;
const models: readonly Relation[] = ['hashed', 'compared'];

let db: PGliteDatabase;
let arrivals: PGliteDatabase;
let wire: WireServer;
let receiver: TestReceiver;
let project: Project;
let folder: string;
let app: FastifyInstance;
let state: ServerState;
let out = '';
const stdout: string[] = [];

const silent = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;

function sharedDatabase(of: PGliteDatabase): SharedDatabase {
  return new SharedDatabase(of, new Turns(), { exclusive: true });
}

/** A command that prints. */
function context(flags: Readonly<Record<string, string | number>> = {}): CommandContext {
  return {
    log: silent,
    writeOut: async (text: string) => void (out += text),
    flags: {
      has: (name: string) => name in flags,
      string: (name: string) => flags[name],
      integer: (name: string) => flags[name],
    },
  } as unknown as CommandContext;
}

async function printed(work: () => Promise<unknown>): Promise<string> {
  out = '';
  await work();
  return out;
}

beforeAll(async () => {
  db = await openMemoryDatabase();
  arrivals = await openMemoryDatabase();
  receiver = await new TestReceiver().start();
  receiver.answer = ({ path: at, body }, response) => {
    const { records = [] } = (body ?? {}) as { records?: unknown[] };
    const answer = at.includes('/sobjects') ? records.map(() => ({ success: true })) : { results: [] };
    status(response, 200, {}, JSON.stringify(answer));
  };
  folder = mkdtempSync(path.join(tmpdir(), 'seg-types-'));
  wire = await startWireServer(arrivals, sharedDatabase(arrivals), {
    host: '127.0.0.1',
    port: 0,
    access: { token: 'token', ownerPassword: undefined, readerPassword: undefined },
    idleMs: 30_000,
    readMs: 30_000,
    schemas: async () => [],
    metrics: createMetrics(),
    log: silent,
  });
  await db.exec(ownTypes);
  const sinks = Object.keys(relations).flatMap((name) => {
    const mode = name === 'everything' ? 'insert_only' : 'upsert';
    const sink = (kind: string, type: string, rest: string): string =>
      `  - {name: ${kind}_${name}, from: ${name}, type: ${type}, mode: ${mode}, ${rest}}\n`;
    return [
      sink('hook', 'webhook', `backfill: true, config: {url: "${receiver.url}/hook_${name}"}`),
      sink('ndjson', 'file', `config: {path: "${folder}/ndjson_${name}", compress: none}`),
      sink(
        'csv',
        'file',
        `config: {path: "${folder}/csv_${name}", format: csv, compress: none, partition_by: id}`,
      ),
      sink('out', 'stdout', 'backfill: true'),
      sink('topic', 'kafka', `config: {brokers: ["127.0.0.1:1"], topic: ${name}}`),
      sink(
        'table',
        'postgres',
        `config: {connection: 'postgres://seg@127.0.0.1:${wire.port}/postgres', table: ${name}}`,
      ),
      sink(
        'hubspot',
        'hubspot',
        `config: {base_url: "${receiver.url}/hubspot_${name}", token: "{{ env_var('TOKEN') }}", id_property: id, requests_per_second: 0}`,
      ),
      sink(
        'salesforce',
        'salesforce',
        `config: {instance_url: "${receiver.url}/salesforce_${name}", object: ${name}, external_id: id, access_token: "{{ env_var('TOKEN') }}"}`,
      ),
    ];
  });
  const list = columns.map(
    ({ name, type }) => `          - {name: ${JSON.stringify(name)}, data_type: ${JSON.stringify(type)}}\n`,
  );
  const select = (relation: Relation): string =>
    ['id', ...relations[relation].map(({ name }) => quoteIdentifier(name))].join(', ');
  const model = (relation: Relation): string =>
    `{{ config(materialized='materialized_view', unique_key='id', changelog=true) }}
select ${select(relation)} from {{ source('types', 'everything') }}`;
  project = await deployWith(db, sinks.join(''), {
    env: { TOKEN: 't' },
    files: {
      'models/types.yml': `
sources:
  - name: types
    tables:
      - name: everything
        config: {key: id}
        columns:
          - {name: id, data_type: bigint}
${list.join('')}          - {name: position, data_type: bigint, generated: position}
`,
      ...Object.fromEntries(models.map((name) => [`models/${name}.sql`, model(name)])),
    },
  });
  state = new ServerState({ project, shared: sharedDatabase(db), metrics: createMetrics(), maxPending: 10 });
  state.hub = new FeedHub(state.shared.as('feed'), () => project, {
    writer: state.shared.as('command'),
    oneSession: true,
  });
  state.ready = true;
  app = await createApp({ state, tokens: new Tokens(undefined), log: silent, env: {}, version: '0' });
  await app.listen({ host: '127.0.0.1', port: 0 });
}, 120_000);

afterAll(async () => {
  vi.restoreAllMocks();
  state.hub.close();
  app.server.closeAllConnections();
  await app.close();
  await wire.close();
  await receiver.stop();
  await arrivals.close();
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Spellings {
  readonly json: string;
  readonly jsonb: string | null;
  readonly text: string | null;
}

/** For each row of a relation the columns' names and PostgreSQL's own spellings of their values. */
async function expected(relation: Relation): Promise<Map<string, Spellings>[]> {
  const names = ['id', ...relations[relation].map(({ name }) => name)];
  const { rows } = await db.query<Record<string, string | null>>(
    `SELECT ${names
      .map((name, index) => {
        const column = `t.${quoteIdentifier(name)}`;
        return `to_json(${column})::text AS j${index}, to_jsonb(${column})::text AS b${index}, ${column}::text AS t${index}`;
      })
      .join(', ')} FROM app.${relation} AS t ORDER BY id`,
  );
  return rows.map(
    (row) =>
      new Map(
        names.map((name, at) => [
          name,
          { json: row[`j${at}`] ?? 'null', jsonb: row[`b${at}`] ?? 'null', text: row[`t${at}`] ?? null },
        ]),
      ),
  );
}

/** Without the spaces between the tokens of JSON. */
function compact(json: string | null): string | null {
  return (
    json?.replaceAll(/("(?:[^"\\]|\\.)*")|\s+/g, (_, string: string | undefined) => string ?? '') ?? null
  );
}

const TOKEN = /"(?:[^"\\]|\\.)*"|-0(?![\d.eE])/gs;
const minusZeros = (json: string): number => json.match(TOKEN)?.filter((token) => token === '-0').length ?? 0;
const unsigned = (json: string): string => json.replaceAll(TOKEN, (token) => (token === '-0' ? '0' : token));

/** As to_json has it, or to_jsonb, which has no minus zero. */
function sameJson(value: string, { json, jsonb }: Spellings): boolean {
  if (compact(value) === compact(json)) return true;
  return minusZeros(value) === minusZeros(json) && unsigned(compact(value)!) === compact(jsonb);
}

/** PostgreSQL's own text; that of JSON, without quotes around a text; JSON's null and that of SQL are one. */
function sameText(value: string, spelt: Spellings): boolean {
  if (spelt.text === null || spelt.json === 'null') return value === '';
  if (value === spelt.text) return true;
  return spelt.json.startsWith('"')
    ? value === JSON.parse(spelt.json)
    : isJson(value) && sameJson(value, spelt);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The names of an object's members and the texts of their values, as PostgreSQL reads them. */
async function membersOf(objects: readonly string[]): Promise<(readonly [string, string])[][]> {
  const { rows } = await db.query<{ n: number; key: string; value: string }>(
    `SELECT o.n::integer, m.key, m.value::text FROM json_array_elements($1::text::json) WITH ORDINALITY AS o (object, n),
       json_each(o.object) WITH ORDINALITY AS m (key, value, place) ORDER BY o.n, m.place`,
    [`[${objects.join(',')}]`],
  );
  return objects.map((_, index) =>
    rows.filter(({ n }) => n === index + 1).map(({ key, value }) => [key, value]),
  );
}

/** Rows as JSON: the columns in their order, each value spelt as json or jsonb has it, minus zero as json alone can. */
async function expectJson(relation: Relation, objects: readonly string[]): Promise<void> {
  const rows = await expected(relation);
  const found = await membersOf(objects);
  const byId = new Map(found.map((members) => [members.find(([name]) => name === 'id')![1], members]));
  expect([...byId.keys()].sort()).toEqual(ids);
  const wrong: unknown[] = [];
  rows.forEach((row, index) => {
    const members = byId.get(ids[index]!)!.filter(([name]) => name !== 'position');
    expect(members.map(([name]) => name)).toEqual([...row.keys()]);
    for (const [name, value] of members) {
      const spelt = row.get(name)!;
      if (!sameJson(value, spelt)) wrong.push({ type: typeOf(name), value, spelt });
    }
  });
  expect(wrong).toEqual([]);
}

/** Rows of texts: JSON where a value is a list or a composite, PostgreSQL's own text or JSON's otherwise; '' for NULL. */
async function expectTexts(
  relation: Relation,
  head: readonly string[],
  cells: readonly (readonly string[])[],
): Promise<void> {
  const rows = await expected(relation);
  const names = head.filter((name) => name !== 'position');
  expect(names).toEqual([...rows[0]!.keys()]);
  const byId = new Map(cells.map((line) => [line[head.indexOf('id')], line]));
  expect([...byId.keys()].sort()).toEqual(ids);
  const wrong: unknown[] = [];
  rows.forEach((row, index) => {
    const line = byId.get(ids[index])!;
    for (const name of names) {
      const spelt = row.get(name)!;
      if (!sameText(line[head.indexOf(name)]!, spelt))
        wrong.push({ type: typeOf(name), value: line[head.indexOf(name)], spelt });
    }
  });
  expect(wrong).toEqual([]);
}

const typeOf = (name: string): string => columns.find((column) => column.name === name)?.type ?? name;

function csv(text: string): [head: string[], ...rows: string[][]] {
  return parse(text) as [string[], ...string[][]];
}

/** The `row` (or whatever the member is called) of lines of JSON, in the text they stand in. */
async function rowsOf(lines: readonly string[], member = 'row'): Promise<string[]> {
  const all = await membersOf(lines);
  return all.flatMap((members) =>
    members.filter(([name, value]) => name === member && value !== 'null').map(([, value]) => value),
  );
}

let start: string;

test('the values are written', async () => {
  start = await currentPosition(db);
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  for (const [row, id] of ids.entries()) {
    await db.query(
      `INSERT INTO app.everything (id, ${names}) VALUES ($1::bigint, ${columns.map(({ type }, at) => `$${at + 2}::text::${type}`).join(', ')})`,
      [id, ...columns.map(({ values }) => values[row % values.length]!)],
    );
  }
  const { summaries } = await syncOnce(db, project, { writeOut: async (text) => void stdout.push(text) });
  for (const summary of Object.values(summaries))
    expect(summary).toMatchObject({ sent: rowCount, rejected: 0 });
});

describe.each(Object.keys(relations) as Relation[])('%s', (relation) => {
  const isModel = models.includes(relation);
  const get = async (at: string, headers: Record<string, string> = {}): Promise<string> =>
    (await app.inject({ url: at, headers: { host: 'localhost', ...headers } })).body;

  test('seg show', async () => {
    const show = (output: string) =>
      printed(() =>
        preview(context({ output, limit: -1 }), db, {
          label: relation,
          name: relation,
          sql: `select * from app.${relation}`,
          map: null,
          at: { file: 'x', line: 1, column: 1 },
        }),
      );
    const json = await show('json');
    const [shown] = await rowsOf([json], 'show');
    await expectJson(relation, await elementsOf(shown!));
    const [head, ...cells] = csv(await show('csv'));
    await expectTexts(relation, head, cells);
  });

  test('HTTP reads', async () => {
    const [rows] = await rowsOf([await get(`/v1/models/${relation}?limit=100`)], 'rows');
    await expectJson(relation, await elementsOf(rows!));
    if (isModel)
      await expectJson(relation, await Promise.all(ids.map((id) => get(`/v1/models/${relation}/${id}`))));
  });

  test.runIf(isModel)('HTTP changes: snapshot, long poll, server-sent events', async () => {
    const [rows] = await rowsOf([await get(`/v1/changes/${relation}`)], 'rows');
    await expectJson(relation, await elementsOf(rows!));
    const [batches] = await rowsOf([await get(`/v1/changes/${relation}?from=${start}`)], 'batches');
    await expectJson(relation, await rowsOfBatches(await elementsOf(batches!)));

    const gone = new AbortController();
    const { port } = app.server.address() as { port: number };
    const response = await fetch(`http://127.0.0.1:${port}/v1/changes/${relation}?from=${start}`, {
      headers: { accept: 'text/event-stream' },
      signal: gone.signal,
    });
    let text = '';
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.split('event: changes').length > rowCount && text.endsWith('\n\n')) break;
    }
    gone.abort();
    const data = text.split('\n').filter((line) => line.startsWith('data: '));
    await expectJson(relation, await rowsOfBatches(data.map((line) => line.slice(6))));
  });

  test.runIf(isModel)('seg subscribe', async () => {
    const model = `model.${project.name}.${relation}`;
    const follow = (form: 'ndjson' | 'csv', from?: string) =>
      printed(async () => {
        const print = feedPrinter(context(), form);
        for await (const item of state.hub.follow({ model, from, once: true })) await print(item);
      });
    for (const from of [start, undefined]) {
      await expectJson(relation, await rowsOf((await follow('ndjson', from)).trim().split('\n')));
      const [head, ...cells] = csv(await follow('csv', from));
      await expectTexts(
        relation,
        head.slice(3),
        cells.map((line) => line.slice(3)),
      );
    }
  });

  test('sinks', async () => {
    const bodies = (at: string) =>
      receiver.requests.filter(({ path: to }) => to.startsWith(`/${at}_${relation}`)).map(({ text }) => text);
    const lists = async (texts: readonly string[], member: string): Promise<string[]> =>
      (await Promise.all((await rowsOf(texts, member)).map(elementsOf))).flat();

    await expectJson(relation, await rowsOf(await lists(bodies('hook'), 'changes')));
    await expectJson(
      relation,
      await rowsOf(
        stdout
          .join('')
          .split('\n')
          .filter((line) => line.startsWith(`{"sink":"out_${relation}"`)),
      ),
    );
    await expectJson(
      relation,
      kafka.filter(({ topic }) => topic === relation).map(({ value }) => value as string),
    );

    const read = (kind: string): string[] =>
      readdirSync(path.join(folder, `${kind}_${relation}`), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
    const lines = read('ndjson').join('').trim().split('\n');
    await expectJson(relation, isModel ? await rowsOf(lines) : lines);
    const tables = read('csv').map(csv);
    const own = tables[0]![0].filter((name) => name.startsWith('_')).length;
    await expectTexts(
      relation,
      tables[0]![0].slice(own),
      tables.flatMap(([, ...rows]) => rows.map((line) => line.slice(own))),
    );
    expect(readdirSync(path.join(folder, `csv_${relation}`)).sort()).toEqual(ids.map((id) => `id=${id}`));

    const inputs = await rowsOf(await lists(bodies('hubspot'), 'inputs'), 'properties');
    const properties = await membersOf(inputs);
    await expectTexts(
      relation,
      properties[0]!.map(([name]) => name),
      properties.map((members) => members.map(([, value]) => JSON.parse(value) as string)),
    );
    await expectJson(
      relation,
      (await lists(bodies('salesforce'), 'records')).map((text) =>
        text.replace(/^\{"attributes":\{[^}]*\},/, '{'),
      ),
    );
    await expectArrived(relation);
  });
});

/** The values are the same at the receiver, of the same type; those of types that it does not have are text or JSON there. */
async function expectArrived(relation: Relation): Promise<void> {
  const rows = await expected(relation);
  const names = [...rows[0]!.keys()];
  const arrived = await arrivals.query<Record<string, string | null>>(
    `SELECT ${names
      .map(
        (name, at) =>
          `${quoteIdentifier(name)}::text AS t${at}, to_json(${quoteIdentifier(name)})::text AS j${at}`,
      )
      .join(', ')} FROM ${relation} ORDER BY id`,
  );
  const wrong: unknown[] = [];
  rows.forEach((row, index) => {
    names.forEach((name, at) => {
      const spelt = row.get(name)!;
      const [text, json] = [arrived.rows[index]![`t${at}`] ?? null, arrived.rows[index]![`j${at}`] ?? null];
      const own = /mood|amount|share|pair|nested/.test(typeOf(name));
      const same = own
        ? sameText(text ?? '', spelt)
        : spelt.json === 'null'
          ? text === null
          : sameJson(json ?? '', spelt);
      if (!same) wrong.push({ type: typeOf(name), text, spelt });
    });
  });
  expect(wrong).toEqual([]);
}

async function elementsOf(array: string): Promise<string[]> {
  const { rows } = await db.query<{ text: string }>(
    'SELECT e::text AS text FROM json_array_elements($1::text::json) WITH ORDINALITY AS x (e, n) ORDER BY n',
    [array],
  );
  return rows.map(({ text }) => text);
}

async function rowsOfBatches(batches: readonly string[]): Promise<string[]> {
  const changes = await rowsOf(batches, 'changes');
  return rowsOf((await Promise.all(changes.map(elementsOf))).flat());
}
