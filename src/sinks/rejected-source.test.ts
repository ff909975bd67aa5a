import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { ingest } from '../connectors/ingest.ts';
import { deployWith, models, syncOnce, TestReceiver } from './fixture.ts';

let db: PGliteDatabase;
const receiver = new TestReceiver();
beforeAll(async () => {
  db = await openMemoryDatabase();
  await receiver.start();
});
afterAll(async () => {
  await receiver.stop();
  await db.close();
});

test('the records that a source has refused are a source of their own: a model of them has a feed, and sinks', async () => {
  const project = await deployWith(
    db,
    `  - {name: out, from: refused, type: webhook, backfill: true, config: {url: "${receiver.url}"}}\n`,
    {
      files: {
        'models/sources.yml': `${models['models/sources.yml']!}
      - {name: orders__rejected, config: {existing: true, install: triggers}}
`,
        'models/refused.sql': `{{ config(materialized='materialized_view') }}
select rejected_at, reason, payload from {{ source('shop', 'orders__rejected') }}`,
      },
    },
  );
  const source = Object.values(project.manifest.sources).find(({ name }) => name === 'orders')!;
  await ingest(db, source, ['{"id":1,"amount":1}\n{"id":"x"}\n'], { format: 'json', origin: 'a' });
  await ingest(db, source, ['{"id":2,"amount":"?"}\n'], { format: 'json', origin: 'a' });
  await syncOnce(db, project);
  // Rows of different keys go in any order.
  const sent = receiver.changes().map((change) => {
    const { op, row } = change as { op: string; row: { payload: string } };
    return `${op} ${row.payload}`;
  });
  expect(sent.sort()).toEqual(['insert {"id":"x"}', 'insert {"id":2,"amount":"?"}']);
});
