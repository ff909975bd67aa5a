/** A row keeps its digits and the order of its columns on its way through a feed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { parseJson, stringifyJson } from '../json/exact-json.ts';
import { deployWith, syncOnce, TestReceiver } from '../sinks/fixture.ts';
import type { Project } from '../project/load.ts';
import { FeedHub } from './hub.ts';
import { currentPosition, readChanges, readSnapshot } from './feed.ts';

/** Values as PostgreSQL reads them, and the JSON that stands for them in a row. */
const types: [type: string, value: string, json: string][] = [
  ['bigint', '9007199254740993', '9007199254740993'],
  ['numeric', '12345678901234567890.10', '12345678901234567890.10'],
  ['numeric(10,2)', '700', '700.00'],
  ['numeric', 'NaN', '"NaN"'],
  ['numeric', 'Infinity', '"Infinity"'],
  ['double precision', '-Infinity', '"-Infinity"'],
  ['double precision', 'NaN', '"NaN"'],
  ['real', '0.1', '0.1'],
  ['money', '1.50', '"$1.50"'],
  ['bytea', '\\x00ff', '"\\\\x00ff"'],
  ['timestamptz', 'infinity', '"infinity"'],
  ['timestamp', '0044-03-15 12:00:00 BC', '"0044-03-15T12:00:00 BC"'],
  ['date', '-infinity', '"-infinity"'],
  ['interval', '1 year 2 days 03:04:05.678', '"1 year 2 days 03:04:05.678"'],
  ['numrange', '[1.50,2.00)', '"[1.50,2.00)"'],
  ['int8multirange', '{[1,3),[9007199254740993,)}', '"{[1,3),[9007199254740993,)}"'],
  ['numeric[]', '{1.50,NULL,9007199254740993.0}', '[1.50,null,9007199254740993.0]'],
  ['integer[]', '{{1,2},{3,NULL}}', '[[1,2],[3,null]]'],
  ['inet', '10.0.0.1/24', '"10.0.0.1/24"'],
  ['bit(4)', '1010', '"1010"'],
  ['uuid', '49ee9dde-e31d-4d7c-9eae-fb28527794f6', '"49ee9dde-e31d-4d7c-9eae-fb28527794f6"'],
  ['tsvector', 'a b:1', "\"'a' 'b':1\""],
  ['jsonb', '{"big":9007199254740993,"scale":1.50}', '{"big":9007199254740993,"scale":1.50}'],
  ['text', '9007199254740993', '"9007199254740993"'],
  ['"char"', 'x', '"x"'],
];
// Names that jsonb would put into another order.
const names = types.map((_, i) => `${'z'.repeat(1 + ((i * 7) % 5))}${String.fromCharCode(122 - i)}`);
const columns = ['id', ...names];

let db: PGliteDatabase;
let receiver: TestReceiver;
let project: Project;

beforeAll(async () => {
  db = await openMemoryDatabase();
  receiver = await new TestReceiver().start();
  const list = names.map((name, i) => `          - {name: ${name}, data_type: '${types[i]![0]}'}`).join('\n');
  project = await deployWith(
    db,
    `  - {name: hook, from: all_types, type: webhook, mode: changes, backfill: true, config: {url: "${receiver.url}"}}\n`,
    {
      files: {
        'models/exact.yml': `
sources:
  - name: exact
    tables:
      - name: t
        config: {key: id}
        columns:
          - {name: id, data_type: bigint}
${list}
`,
        'models/all_types.sql': `{{ config(materialized='materialized_view', unique_key='id', changelog=true) }}
select ${columns.join(', ')} from {{ source('exact', 't') }}`,
      },
    },
  );
}, 120_000);

afterAll(async () => {
  await receiver.stop();
  await db.close();
});

const write = (id: string): Promise<unknown> =>
  db.query(
    `INSERT INTO app.t (id, ${names.join(', ')}) VALUES ($1::bigint, ${types.map(([type], i) => `$${i + 2}::text::${type}`).join(', ')})`,
    [id, ...types.map(([, value]) => value)],
  );
const rowOf = (id: string): string =>
  `{"id":${id},${names.map((name, i) => `"${name}":${types[i]![2]}`).join(',')}}`;

test('every type, in the order of the model, through snapshot, changes and a sink', async () => {
  const model = 'model.test.all_types'.replace('test', project.name);
  const start = await currentPosition(db);
  await write('9007199254740992');
  await write('9007199254740993');
  const rows = ['9007199254740992', '9007199254740993'].map(rowOf);

  const snapshot = await readSnapshot(db, model);
  expect(snapshot.rows.map(stringifyJson)).toEqual(rows);

  const batches = await readChanges(db, model, start);
  expect(batches.flatMap(({ changes }) => changes.map(({ row }) => stringifyJson(row)))).toEqual(rows);
  expect(batches.flatMap(({ changes }) => changes.map(({ key }) => stringifyJson(key)))).toEqual([
    '{"id":9007199254740992}',
    '{"id":9007199254740993}',
  ]);

  const hub = new FeedHub(db, () => project);
  const followed: string[] = [];
  for await (const item of hub.follow({ model, from: start, once: true })) {
    if ('batch' in item) followed.push(...item.batch.changes.map(({ row }) => stringifyJson(row)));
  }
  expect(followed).toEqual(rows);

  await syncOnce(db, project);
  const sent = receiver.requests.map(({ text }) => text).join('');
  for (const row of rows) expect(stringifyJson(parseJson(sent))).toContain(`"row":${row}`);
}, 120_000);

test('a key that no column has is refused by name', async () => {
  await expect(
    deployWith(db, '', {
      files: {
        'models/wrong.sql': `{{ config(materialized='materialized_view', unique_key='customr') }}
select customer from {{ source('shop', 'orders') }}`,
      },
    }),
  ).rejects.toThrow(/unknown column "customr" in the unique_key of model "wrong"/);
}, 120_000);
