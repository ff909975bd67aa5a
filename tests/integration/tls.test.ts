/** TLS on the Postgres port and HTTPS, by psql, node-postgres and Node's own client; a certificate that is renewed while it serves. */
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServing } from '../cli/serving.ts';
import type { Serving } from '../cli/serving.ts';
import { events, streamProject } from '../cli/stream-project.ts';
import { certificate, run } from './clients/toolchains.ts';

const project = streamProject();
const file = (name: string): string => join(project.root, name);
let serving: Serving;

beforeAll(async () => {
  await Promise.all([certificate(file('server')), certificate(file('other'))]);
  expect(await project.seg('run')).toMatchObject({ status: 0 });
  const args = ['--tls-cert', file('server.crt'), '--tls-key', file('server.key')];
  serving = await startServing(project, { args, env: { SEG_PG_PASSWORD: 'secret' } });
  expect(await project.seg('ingest segment_events -', { stdin: events(1, 7) })).toMatchObject({ status: 0 });
});
afterAll(async () => {
  await serving.stop('SIGKILL');
  project.remove();
});

const psql = (program: string, more: string, sql = 'SELECT count(*) FROM by_user'): Promise<string> =>
  run(program, ['-XAtq', '-c', sql, `postgres://seg@localhost:${serving.pgPort}/postgres?${more}`], {
    env: { PGPASSWORD: 'secret' },
  });

it('psql connects with and without TLS, and checks who it talks to', async () => {
  const old = process.env['SEG_TEST_PSQL'] ?? 'psql';
  const verified = `sslmode=verify-full&sslrootcert=${file('server.crt')}`;
  for (const mode of ['sslmode=disable', 'sslmode=prefer', 'sslmode=require', verified]) {
    expect(await psql(old, mode), mode).toBe('7\n');
  }
  await expect(psql(old, `sslmode=verify-full&sslrootcert=${file('other.crt')}`)).rejects.toThrow(
    /certificate/,
  );
  const long = await psql(
    old,
    'sslmode=require',
    "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT",
  );
  expect(long).toHaveLength(20_000 * 1001);
});

it('a connection may begin with TLS, and must say then which protocol it means', async () => {
  const startup = Buffer.from('\0\0\0\x12\0\x03\0\0user\0seg\0\0', 'latin1');
  const open = async (ALPNProtocols?: string[]): Promise<string> => {
    const options = {
      host: 'localhost',
      port: serving.pgPort,
      ca: readFileSync(file('server.crt')),
      ALPNProtocols,
    };
    const socket = connectSecurely(options);
    socket.write(startup);
    try {
      const [answer] = (await once(socket, 'data')) as [Buffer];
      return answer.toString('latin1');
    } catch (error) {
      return String(error);
    } finally {
      socket.destroy();
    }
  };
  // It asks for a password.
  expect(await open(['postgresql'])).toMatch(/^R.*SCRAM-SHA-256/s);
  expect(await open(['http/1.1'])).toMatch(/alert|protocol|closed/i);
});

it('nothing that was sent ahead of the handshake counts', async () => {
  const socket = connect(serving.pgPort, '127.0.0.1');
  const asks = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
  const startup = Buffer.concat([Buffer.from([0, 0, 0, 18, 0, 3, 0, 0]), Buffer.from('user\0seg\0\0')]);
  startup.writeUInt32BE(startup.length);
  socket.write(Buffer.concat([asks, startup]));
  let answer = '';
  for await (const chunk of socket.setEncoding('latin1')) answer += String(chunk);
  expect(answer).toContain('08P01');
});

it('node-postgres, HTTPS, and a renewed certificate', async () => {
  const asks = async (trusted: string): Promise<unknown> => {
    const ca = readFileSync(file(trusted));
    const client = new pg.Client({
      ...{ host: 'localhost', port: serving.pgPort, user: 'seg', password: 'secret', database: 'postgres' },
      ssl: { ca },
    });
    await client.connect();
    const { rows } = await client.query('SELECT count(*)::int AS n FROM by_user WHERE user_id <> $1', ['']);
    await client.end();
    const status = await new Promise((resolve, reject) => {
      const asked = request(`${serving.http}/v1/models`, { ca }, ({ statusCode }) => resolve(statusCode));
      asked.on('error', reject).end();
    });
    return [rows, status];
  };
  const works = [[{ n: 7 }], 200];
  expect(await asks('server.crt')).toEqual(works);
  await expect(asks('other.crt')).rejects.toThrow(/certificate/);
  // Not the key yet: the old one stays.
  copyFileSync(file('server.crt'), file('first.crt'));
  copyFileSync(file('other.crt'), file('server.crt'));
  await expect.poll(() => serving.log(), { timeout: 30_000 }).toContain('The certificate stays the old one');
  expect(await asks('first.crt')).toEqual(works);
  copyFileSync(file('other.key'), file('server.key'));
  await expect.poll(() => serving.log(), { timeout: 30_000 }).toContain('The certificate was renewed');
  expect(await asks('other.crt')).toEqual(works);
});

it('files that cannot be used are named at the start', async () => {
  const serve = (cert: string, key: string) =>
    project.seg(['serve', '--tls-cert', file(cert), '--tls-key', file(key)]);
  const missing = await serve('nowhere.crt', 'server.key');
  expect(missing).toMatchObject({ status: 2 });
  expect(missing.log).toMatch(/SEG843.*--tls-cert.*nowhere\.crt.*ENOENT/s);
  const mixed = await serve('first.crt', 'other.key');
  expect(mixed.log).toMatch(/SEG843.*cannot be used/s);
  writeFileSync(file('empty.key'), '');
  expect((await serve('first.crt', 'empty.key')).log).toContain('SEG843');
  expect((await project.seg(['serve', '--tls-cert', file('first.crt')])).log).toMatch(/SEG903.*--tls-key/s);
});
