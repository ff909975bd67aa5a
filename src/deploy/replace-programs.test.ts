/** What another version of seg has deployed, on the embedded engine. An older compiler is played by its program and its leftovers. */
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { compilerVersion } from '../incremental/compiler-version.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { currentPosition, readChanges } from '../feeds/feed.ts';
import { loadFiles } from '../project/fixture.ts';
import type { Project } from '../project/load.ts';
import { verify } from '../verify/verify.ts';
import { Deployer } from './deployer.ts';
import { keepChangelog } from './keep-changes.ts';
import { isDeployable } from './spec.ts';
import { outdatedModels, replacePrograms } from './replace-programs.ts';

let db: PGliteDatabase;
let project: Project;
afterAll(() => db.close());

const files = {
  'models/sources.yml': `
sources:
  - name: shop
    tables:
      - {name: orders, columns: [{name: customer, data_type: text}, {name: amount, data_type: integer}]}
      - {name: visits, columns: [{name: page, data_type: text}]}
`,
  'models/totals.sql': `{{ config(materialized='materialized_view', unique_key='customer', changelog=true) }}
select customer, sum(amount) as total from {{ source('shop', 'orders') }} group by customer`,
  'models/large.sql': `{{ config(materialized='materialized_view') }}
select customer from {{ ref('totals') }} where total > 10`,
  'models/pages.sql': `{{ config(materialized='materialized_view') }}
select page, count(*) as visits from {{ source('shop', 'visits') }} group by page`,
};

async function deploy(now: Project): Promise<Deployer> {
  return db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, now);
    for (const source of Object.values(now.manifest.sources)) await deployer.deploy(source);
    for (const id of now.graph.order()) {
      const node = now.manifest.nodes[id];
      if (node !== undefined && isDeployable(node)) await deployer.deploy(node);
    }
    await deployer.finish();
    return deployer;
  });
}

const functionOf = (event: string): string => `_seg."${event} app orders"`;
const text = async (event: string): Promise<string> =>
  (await db.query<{ text: string }>(`SELECT pg_get_functiondef('${functionOf(event)}'::regproc) AS text`))
    .rows[0]!.text;

/** As if a compiler had made the program that took a wrong sum: its text, its checksum, what it left, its version. */
async function playOlder(): Promise<void> {
  await db.exec(`
    CREATE OR REPLACE FUNCTION ${functionOf('insert')}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    UPDATE _seg.program SET checksum = 'of another' WHERE input = 'source.shop.shop.orders';
    UPDATE _seg.compiler SET version = '0.0.9';
    SET session_replication_role = replica;
    UPDATE _seg."app.totals" SET total = 4 WHERE customer = 'ann';
    DELETE FROM _seg."app.large";
    SET session_replication_role = DEFAULT`);
}

async function expectRight(): Promise<void> {
  for (const { name, missing, extra } of await verify(db))
    expect({ name, missing, extra }).toEqual({ name, missing: 0, extra: 0 });
  const { rows } = await db.query('SELECT version FROM _seg.compiler');
  expect(rows).toEqual([{ version: compilerVersion }]);
}

describe('programs of another version', () => {
  beforeEach(async () => {
    await db?.close();
    db = await openMemoryDatabase();
    project = await loadFiles(files);
    await deploy(project);
    await db.exec(`INSERT INTO app.orders (customer, amount) VALUES ('ann', 5), ('ann', 7), ('bob', 1);
      INSERT INTO app.visits (page) VALUES ('/')`);
  });

  test('are replaced by the next deployment, whose feed tells only what was wrong', async () => {
    const before = await text('insert');
    await playOlder();
    expect([...(await outdatedModels(db, project))].sort()).toEqual(['large', 'totals']);
    const from = await currentPosition(db);
    expect([...(await deploy(project)).outdated].sort()).toEqual(['large', 'totals']);
    await expectRight();
    expect(await text('insert')).toBe(before);
    const batches = await readChanges(db, 'model.shop.totals', from);
    expect(batches.map(({ changes }) => changes)).toMatchObject([
      [{ op: 'update', row: { customer: 'ann', total: 12 }, before: { customer: 'ann', total: 4 } }],
    ]);
    expect((await deploy(project)).outdated).toEqual([]);
  });

  test('are replaced by serve and by a new feed, without a change of the project', async () => {
    await playOlder();
    expect([...(await replacePrograms(db, project))].sort()).toEqual(['large', 'totals']);
    await expectRight();
    expect(await replacePrograms(db, project)).toEqual([]);
    await playOlder();
    await keepChangelog(db, project, ['model.shop.pages']);
    await expectRight();
  });

  test('of a version that made the same ones are left alone', async () => {
    await db.exec("UPDATE _seg.compiler SET version = '0.0.9'");
    expect(await outdatedModels(db, project)).toEqual([]);
    expect((await deploy(project)).outdated).toEqual([]);
    await expectRight();
  });

  test('are replaced where the state schema is older than the note of the version', async () => {
    // What the last two migrations made is taken away with their notes.
    await db.exec(
      `DROP TABLE _seg.compiler, _seg.sink_scan, _seg.sink_scan_row, _seg.sink_settling;
       DELETE FROM _seg.migration WHERE version > (SELECT max(version) - 2 FROM _seg.migration)`,
    );
    expect(await replacePrograms(db, project)).toEqual([]);
    await expectRight();
  });

  test('nothing happens where nothing is deployed', async () => {
    await db.exec('DROP SCHEMA _seg CASCADE');
    expect(await replacePrograms(db, project)).toEqual([]);
    expect(await outdatedModels(db, project)).toEqual([]);
  });
});
