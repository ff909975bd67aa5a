import { once } from 'node:events';
import { connect } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestProject } from './run-seg.ts';
import { startServing } from './serving.ts';
import type { Serving } from './serving.ts';

const project = new TestProject({
  'dbt_project.yml': 'name: limits\nversion: "1.0"\nconfig-version: 2\nprofile: limits\n',
  'profiles.yml': 'limits:\n  target: dev\n  outputs:\n    dev:\n      type: pglite\n      path: data\n',
  'seeds/words.csv': 'id,word\n1,one\n2,two\n',
  'models/known.sql':
    "{{ config(materialized='materialized_view', unique_key='id') }}\nselect id, word from {{ ref('words') }}\n",
  'models/slow.sql':
    "{{ config(materialized='view') }}\nselect g as n from generate_series(1, 3000000000) as g\n",
});
let serving: Serving;

beforeAll(async () => {
  const { status, log } = await project.seg('build');
  expect({ status, log }).toMatchObject({ status: 0 });
  serving = await startServing(project, { args: ['--read-timeout', '2'] });
}, 120_000);
afterAll(() => {
  serving.child.kill('SIGKILL');
  project.remove();
});

/** Takes minutes, if it is let. */
const ENDLESS = 'select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b';

async function client(user: string): Promise<pg.Client> {
  const made = new pg.Client({ host: '127.0.0.1', port: serving.pgPort, user, database: 'postgres' });
  made.on('error', () => undefined);
  await made.connect();
  return made;
}

/** A cancel request as libpq sends it, over a connection of its own; after `first`, where the client asks for encryption. */
async function requestCancel(of: pg.Client, first: Buffer = Buffer.alloc(0)): Promise<void> {
  const { processID, secretKey } = of as unknown as { processID: number; secretKey: number };
  const request = Buffer.alloc(16);
  for (const [at, value] of [16, 80877102, processID, secretKey].entries())
    request.writeInt32BE(value, at * 4);
  const socket = connect(serving.pgPort, '127.0.0.1');
  if (first.length > 0) {
    socket.write(first);
    await once(socket, 'data');
  }
  socket.end(request);
  socket.resume();
  await once(socket, 'close');
}

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

describe('a read of the embedded database', () => {
  it('ends when its time is up, over either protocol, and others go on', async () => {
    const reader = await client('ana');
    await expect(reader.query(ENDLESS)).rejects.toMatchObject({
      code: '57014',
      message: 'canceling statement due to statement timeout: a read may take 2 seconds',
      hint: expect.stringContaining('--read-timeout') as string,
    });
    await expect(reader.query("select pg_sleep_for('100 s')")).rejects.toMatchObject({ code: '42501' });
    expect((await reader.query('select word from known order by id')).rows).toHaveLength(2);
    await expect(reader.query('select count(*) from slow')).rejects.toMatchObject({ code: '57014' });

    const response = await fetch(`${serving.http}/v1/models/slow?n=-1`);
    expect(response.status).toBe(504);
    expect(await response.json()).toMatchObject({
      error: { code: '57014', hint: expect.any(String) as string },
    });
    const followed = await fetch(`${serving.http}/v1/models/known?word=two`);
    expect(await followed.json()).toMatchObject({ rows: [{ id: 2 }] });
    await reader.end();
  });

  it('does not enlarge the memory of the engine without bound', async () => {
    const reader = await client('ana');
    await expect(reader.query("select length(repeat('x', 1000000000))")).rejects.toMatchObject({
      code: '53200',
    });
    expect((await reader.query("select length(repeat('x', 1000000)) as n")).rows).toEqual([{ n: 1000000 }]);
    await reader.end();
  });
});

describe('a statement of the owner', () => {
  it.each([
    ['a cancel request', Buffer.alloc(0)],
    ['a cancel request of a client that asks for encryption first', SSL_REQUEST],
  ])('is ended by %s, and who comes meanwhile is let in', async (_, first) => {
    const owner = await client('seg');
    let ended = false;
    const statement = owner.query(ENDLESS).finally(() => (ended = true));
    const outcome = expect(statement).rejects.toMatchObject({
      code: '57014',
      message: 'canceling statement due to user request',
    });
    // It outlives the readers' limit. Who comes then waits, and gets in.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect(ended).toBe(false);
    const late = client('ana');
    await requestCancel(owner, first);
    await outcome;
    const reader = await late;
    expect((await reader.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect((await owner.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    await Promise.all([reader.end(), owner.end()]);
  });

  it('is ended when its client goes away', async () => {
    const owner = await client('seg');
    const statement = owner.query(ENDLESS);
    statement.catch(() => undefined);
    (owner as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    const other = await client('seg');
    expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    await other.end();
  });

  it('leaves the server able to stop', async () => {
    expect(await serving.stop()).toBe(0);
  });
});
