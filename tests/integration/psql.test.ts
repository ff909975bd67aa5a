/** psql against `seg serve`: a session, two clients in parallel, a transaction that rolls back, COPY in and out. */
import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServing } from '../cli/serving.ts';
import type { Serving } from '../cli/serving.ts';
import { events, streamProject } from '../cli/stream-project.ts';

const project = streamProject();
let serving: Serving;

beforeAll(async () => {
  expect(await project.seg('run')).toMatchObject({ status: 0 });
  serving = await startServing(project);
  expect(await project.seg('ingest segment_events -', { stdin: events(1, 70) })).toMatchObject({ status: 0 });
}, 120_000);
afterAll(() => {
  serving.child.kill('SIGKILL');
  project.remove();
});

/** Runs a script; answers what psql prints, with its errors. */
function psql(script: string, user = 'seg'): Promise<string> {
  const child = spawn(
    process.env['SEG_TEST_PSQL'] ?? 'psql',
    ['-h', '127.0.0.1', '-p', String(serving.pgPort), '-U', user, '-d', 'postgres', '-XAtq'],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  child.stdin.end(script);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

it('has a session: meta-commands, settings, prepared statements, errors', async () => {
  const text = await psql(`
    \\d stream.by_user
    \\dt stream.*
    \\dv stream.*
    \\d
    SET search_path = stream;
    SELECT user_id, events FROM by_user ORDER BY user_id LIMIT 1;
    PREPARE one (int) AS SELECT $1 + 1;
    EXECUTE one(41);
    DEALLOCATE ALL;
    SELECT 1 / 0;
    SELECT 'still here';
    DISCARD ALL;
    SHOW search_path;`);
  expect(text).toContain('user_id|text');
  expect(text).toContain('stream|segment_events|table|postgres\n');
  expect(text).toContain('stream|by_user|view|postgres\n');
  expect(text).toContain('user-0|10\n42\n');
  expect(text).toContain('division by zero');
  expect(text.trim().split('\n').slice(-2)).toEqual(['still here', 'public, "stream"']);
});

it('rolls back, and lets others work meanwhile', async () => {
  const [first, second] = await Promise.all([
    psql(
      'BEGIN; CREATE TABLE public.x (a int); INSERT INTO public.x VALUES (1); SELECT count(*) FROM public.x; ROLLBACK;',
    ),
    psql("SELECT count(*) FROM stream.arrivals; SELECT to_regclass('public.x') IS NULL;"),
  ]);
  expect(first).toBe('1\n');
  expect(second).toBe('70\nt\n');
});

it('copies in and out, and a row that comes in moves the models', async () => {
  const text = await psql(`
COPY stream.segment_events (event_id, user_id, vendor) FROM STDIN;
00000000-0000-4000-8000-00000000aaaa\tcopied\t1
\\.
COPY (SELECT user_id, events FROM stream.by_user WHERE user_id = 'copied') TO STDOUT;
\\copy (SELECT count(*) FROM stream.arrivals) TO STDOUT
`);
  expect(text).toBe('copied\t1\n71\n');
});

it('reads as anybody, writes as the owner only', async () => {
  const text = await psql(
    'SELECT count(*) FROM stream.by_user; DELETE FROM stream.segment_events;',
    'analyst',
  );
  expect(text).toContain('8\n');
  expect(text).toContain('the role "seg_reader" can only read');
});
