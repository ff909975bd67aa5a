// Kills seg again and again while it ingests and delivers (SIGKILL, at random moments, also while it opens its database),
// starts it again each time, and then compares what the receivers have with what was acknowledged:
//
//   postgres, file    exactly once: nothing lost, nothing doubled
//   webhook           nothing lost; what comes twice comes under its first idempotency key, with the same body
//
//   npm run test:chaos -- --kills 100 [--life 2000] [--minutes 10] [--keep]       life: at most so many milliseconds of work before a kill
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { clearTimeout, setTimeout } from 'node:timers';
import { Buffer } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import pg from 'pg';
import { startPostgres } from '../temporary-postgres.mjs';
import { event, writeProject } from './project.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    keep: { type: 'boolean', default: false },
    life: { type: 'string', default: '2000' },
    minutes: { type: 'string', default: '0' },
  },
});
const kills = Number(values.kills);
const here = import.meta.dirname;
if (!existsSync(join(here, '../../dist/cli/main.js'))) {
  spawnSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit', cwd: join(here, '../..') });
}

const root = mkdtempSync(join(tmpdir(), 'seg-chaos-'));
writeProject(root);
const own = process.env.SEG_TEST_POSTGRES === undefined;
const server = own
  ? await startPostgres({ quiet: true })
  : { url: process.env.SEG_TEST_POSTGRES, stop: () => {} };
const client = new pg.Client({ connectionString: server.url });
await client.connect();
const schema = `chaos_${process.pid}`;
await client.query(`CREATE SCHEMA ${schema}; SET search_path = ${schema}`);

/** What the webhook receiver has heard: by id of the request its body, and by change the ids it came under. */
const bodies = new Map();
const idsOfChange = new Map();
const lastOfKey = new Map();
const seen = { requests: 0, repeats: 0, failures: 0, changed: 0 };
const hook = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    // A receiver that fails before it has looked, or after: the sender cannot tell.
    const mood = Math.random();
    if (mood < 0.05) {
      seen.failures++;
      return mood < 0.02 ? request.socket.destroy() : response.writeHead(mood < 0.035 ? 503 : 429).end();
    }
    take(request.url, String(request.headers['webhook-id']), Buffer.concat(parts).toString());
    const answer = () => {
      if (mood < 0.1) {
        seen.failures++;
        if (mood < 0.075) request.socket.destroy();
        else response.writeHead(500).end();
      } else response.end();
    };
    if (mood > 0.9) setTimeout(answer, Math.random() * 150);
    else answer();
  });
});
function take(path, id, text) {
  seen.requests++;
  const before = bodies.get(id);
  if (before !== undefined) {
    seen.repeats++;
    if (before !== text) seen.changed++;
    return;
  }
  bodies.set(id, text);
  const body = JSON.parse(text);
  for (const change of body.changes ?? [body]) {
    const key = `${path} ${JSON.stringify(change.key)}`;
    const name = `${key} ${change.op} ${change.position}`;
    idsOfChange.set(name, [...(idsOfChange.get(name) ?? []), id]);
    lastOfKey.set(key, change.row);
  }
}
await new Promise((resolve) => hook.listen(0, '127.0.0.1', resolve));

const env = {
  PATH: process.env.PATH,
  CHAOS_POSTGRES: server.url,
  CHAOS_SCHEMA: schema,
  CHAOS_HOOK: `http://127.0.0.1:${hook.address().port}`,
};
const command = (...args) =>
  spawnSync(process.execPath, [join(here, '../../dist/cli/main.js'), ...args], {
    // A table of all events is more than the megabyte that is kept otherwise.
    maxBuffer: 1 << 30,
    cwd: root,
    env,
    encoding: 'utf8',
  });
const built = command('build', '--quiet');
if (built.status !== 0) throw new Error(`seg build failed: ${built.stderr}`);

// A process that lives for a second does not gain from code that V8 has optimised.
const quickStart = ['--liftoff-only', '--no-wasm-tier-up'];
let acknowledged = 1;
let stopped = 0;
const moments = { opening: 0, working: 0 };
const started = Date.now();
let killed = 0;
const until = values.minutes === '0' ? Infinity : started + Number(values.minutes) * 60_000;
for (let kill = 1; kill <= kills && Date.now() < until; kill++) {
  killed = kill;
  await new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      [...quickStart, join(here, 'worker.mjs'), root, String(acknowledged)],
      { env, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let open = false;
    const end = () => child.kill('SIGKILL');
    // One in ten dies while it opens; the others some time after.
    const early = Math.random() < 0.1 ? setTimeout(end, Math.random() * 2000) : undefined;
    child.stdout.on('data', (text) => {
      for (const line of String(text).trim().split('\n')) {
        if (line === 'open') {
          open = true;
          if (early === undefined) setTimeout(end, 50 + Math.random() * Number(values.life));
        } else acknowledged = Math.max(acknowledged, Number(line));
      }
    });
    child.stderr.on('data', (text) => process.stderr.write(text));
    child.on('close', (code, signal) => {
      clearTimeout(early);
      if (signal !== 'SIGKILL') stopped++;
      moments[open ? 'working' : 'opening']++;
      resolve();
    });
  });
  if (kill % 25 === 0 || kill === kills) {
    const perKill = (Date.now() - started) / kill / 1000;
    console.log(
      `${kill} kills, ${acknowledged - 1} events acknowledged, ${seen.requests} requests, ${perKill.toFixed(2)} s a kill`,
    );
  }
}

const problems = [];
const expect = (name, ok, more = '') => {
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${more === '' ? '' : `: ${more}`}`);
  if (!ok) problems.push(name);
};
expect('no process ended by itself', stopped === 0, `${stopped}`);
// A batch whose acknowledgement was cut off by the kill may have been committed: it is sent like any other.
for (let turn = 1; turn <= 20; turn++) {
  // Not spawnSync: the webhook's receiver lives in this process.
  const drained = await new Promise((resolve) =>
    spawn(process.execPath, [join(here, 'worker.mjs'), root, '0', 'drain'], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    }).on('close', resolve),
  );
  if (drained === 0) break;
  if (turn === 20) expect('everything could be sent', false);
}

const table = (sql) =>
  JSON.parse(command('show', '--inline', sql, '--limit', '-1', '--output', 'json').stdout).show;
const inOrder = (row) => (typeof row === 'object' ? Object.fromEntries(Object.entries(row).sort()) : row);
const sort = (rows) => rows.map((row) => JSON.stringify(inOrder(row))).sort();
const same = (a, b) => JSON.stringify(sort(a)) === JSON.stringify(sort(b));
const rows = async (sql) =>
  (await client.query(sql)).rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([k, v]) => [k, /^-?\d+$/.test(String(v)) ? Number(v) : v])),
  );
const numbers = (list) =>
  list.map((row) =>
    Object.fromEntries(Object.entries(row).map(([k, v]) => [k, /^-?\d+$/.test(String(v)) ? Number(v) : v])),
  );

const events = numbers(table(`select event_id, user_id, amount from {{ source('events', 'events') }}`));
const totals = numbers(table(`select user_id, events, amount from {{ ref('totals') }}`));
const odd = numbers(table(`select user_id, events from {{ ref('odd') }}`));
const wanted = Array.from({ length: acknowledged - 1 }, (_, index) => index + 1);
const there = new Set(events.map(({ event_id }) => event_id));
expect(
  'every acknowledged event is there',
  wanted.every((n) => there.has(n)),
  `${events.length} events`,
);
expect(
  'every event is there once, as it was sent',
  events.length === there.size && events.every((row) => same([row], [event(row.event_id)])),
);

expect(
  'postgres: totals as the view',
  same(await rows('SELECT user_id, events, amount FROM totals'), totals),
  `${totals.length} rows`,
);
expect(
  'postgres: mirror as the view',
  same(await rows('SELECT user_id, events FROM odd'), odd),
  `${odd.length} rows`,
);
const logged = await rows('SELECT event_id, user_id, amount FROM log');
expect('postgres: every event once in a table without a key', same(logged, events), `${logged.length} rows`);

const lines = (folder) => {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .flatMap((entry) => {
      const bytes = readFileSync(join(entry.parentPath, entry.name));
      const text = entry.name.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    });
};
const lake = lines('lake').map(({ event_id, user_id, amount }) => ({ event_id, user_id, amount }));
expect('file: every event once in the lake', same(lake, events), `${lake.length} lines`);
const changes = lines('odd_changes');
const names = changes.map(({ key, position, op }) => JSON.stringify([key, position, op]));
expect('file: every change once', new Set(names).size === names.length, `${names.length} lines`);
changes.sort((a, b) => (a.position < b.position ? -1 : a.position > b.position ? 1 : 0));
const replayed = new Map();
for (const { key, row } of changes) {
  if (row === null) replayed.delete(key.user_id);
  else replayed.set(key.user_id, row);
}
expect(
  'file: the changes in order give the view',
  same(numbers([...replayed.values()]), odd),
  `${replayed.size} rows`,
);

const heard = (prefix) =>
  [...lastOfKey].filter(([key]) => key.startsWith(`${prefix} `)).map(([, row]) => row);
expect(
  'webhook: nothing lost',
  same(
    heard('/').map((row) => row.event_id),
    [...there],
  ),
  `${heard('/').length} events`,
);
expect(
  'webhook: the last state of every key',
  same(numbers(heard('/totals')), totals),
  `${heard('/totals').length} users`,
);
const doubled = [...idsOfChange.values()].filter((ids) => ids.length > 1).length;
expect('webhook: a change has one idempotency key', doubled === 0, `${idsOfChange.size} changes`);
expect(
  'webhook: a repeated request has the same body',
  seen.changed === 0,
  `${seen.repeats} of ${seen.requests} requests were repeats`,
);

console.log(
  `${killed} kills (${moments.opening} while opening, ${moments.working} while working), ${events.length} events, ${seen.requests} requests ` +
    `(${seen.failures} answered badly on purpose), ${((Date.now() - started) / 60000).toFixed(1)} minutes: ${problems.length === 0 ? 'all held' : `${problems.length} did not hold`}`,
);
hook.closeAllConnections();
hook.close();
await client.query(`DROP SCHEMA ${schema} CASCADE`);
await client.end();
server.stop();
if (problems.length === 0 && !values.keep) rmSync(root, { recursive: true, force: true });
else console.log(`The project is in ${root}`);
process.exit(problems.length === 0 ? 0 : 1);
