import { Buffer } from 'node:buffer';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Deployer } from '../../../dist/deploy/deployer.js';
import { openDatabase } from '../../../dist/engines/registry.js';
import { loadProject } from '../../../dist/project/load.js';
import { readSinkStatus } from '../../../dist/sinks/status.js';
import { runSinks } from '../../../dist/sinks/run-sinks.js';
import { put } from '../lib/project-database.mjs';

export const about =
  'webhooks whose receivers misbehave: what arrives, how often, how late (wall-clock times)';

const RATE = 200;
const TIMEOUT_S = 1;

/** What a receiver does with the nth request. `take`: it has read and kept the records. */
const RECEIVERS = {
  'answers at once': ({ take, answer }) => (take(), answer(200)),
  'never answers one request in ten': ({ n, take, answer }) =>
    n % 10 === 3 ? undefined : (take(), answer(200)),
  'drops one connection in five': ({ n, take, answer, drop }) =>
    n % 5 === 3 ? drop() : (take(), answer(200)),
  'answers 500 to one in five': ({ n, take, answer }) => (n % 5 === 3 ? answer(500) : (take(), answer(200))),
  'answers 429, Retry-After: 1, to one in ten': ({ n, take, answer }) =>
    n % 10 === 3 ? answer(429, { 'retry-after': '1' }) : (take(), answer(200)),
  'refuses one record in fifty with 400': ({ records, take, answer }) =>
    records.some(({ key }) => key.event_id % 50 === 0) ? answer(400) : (take(), answer(200)),
  'takes it, and loses one answer in five': ({ n, take, answer, drop }) => (
    take(),
    n % 5 === 3 ? drop() : answer(200)
  ),
  'answers twice': ({ take, twice }) => (take(), twice()),
  'is down for five seconds': ({ seconds, take, answer, drop }) =>
    seconds < 5 ? drop() : (take(), answer(200)),
  'takes two seconds for an answer': async ({ take, answer }) => (take(), await sleep(2000), answer(200)),
  'takes a minute for an answer, for two minutes': async ({ seconds, take, answer }) => (
    take(),
    seconds < 120 && (await sleep(60_000)),
    answer(200)
  ),
};
/** Seconds that a sink waits for an answer of the receivers that are slow, and not faulty. */
const PATIENCE_S = {
  'takes two seconds for an answer': 30,
  'takes a minute for an answer, for two minutes': 90,
};

const files = {
  'dbt_project.yml': 'name: receivers\nprofile: receivers\nconfig-version: 2\n',
  'profiles.yml':
    'receivers:\n  target: dev\n  outputs:\n    dev: {type: pglite, path: data, schema: app, threads: 1}\n',
  'models/sources.yml': `
sources:
  - name: events
    tables:
      - name: events
        config: {key: event_id}
        columns:
          - {name: event_id, data_type: integer}
          - {name: user_id, data_type: text}
`,
  'models/arrivals.sql': `{{ config(materialized='materialized_view', unique_key='event_id') }}
select event_id, user_id from {{ source('events', 'events') }}`,
};

export async function run({ quick, scratch, say, table, options }) {
  const seconds = Number(options.seconds ?? (quick ? 3 : 10));
  const rows = [];
  for (const [name, behave] of Object.entries(RECEIVERS)) {
    say(name);
    rows.push([
      name,
      ...(await one(join(scratch, String(rows.length)), behave, seconds, PATIENCE_S[name] ?? TIMEOUT_S)),
    ]);
  }
  table(
    [
      'the receiver',
      'events',
      'arrived',
      'twice',
      'under another id',
      'parked',
      'requests',
      'retries',
      'lag p50 ms',
      'p99',
      'all there after',
    ],
    rows,
    `${RATE} events a second for ${seconds} s; one webhook, batches of up to 20, four at once, timeout ${TIMEOUT_S} s (of those that are slow: 30 and 90 s).`,
  );
}

async function one(folder, behave, seconds, timeout) {
  let first;
  const seen = new Map();
  const counts = { requests: 0, twice: 0, otherId: 0, retries: 0 };
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString());
      void behave({
        n: counts.requests++,
        seconds: (performance.now() - (first ??= performance.now())) / 1000,
        records: body.changes,
        take() {
          for (const { key } of body.changes) {
            const before = seen.get(key.event_id);
            if (before !== undefined) counts.twice++;
            if (before !== undefined && before !== body.id) counts.otherId++;
            seen.set(key.event_id, body.id);
          }
        },
        answer: (status, headers = {}) => response.writeHead(status, headers).end(),
        drop: () => request.socket.destroy(),
        twice() {
          const text = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
          request.socket.write(text + text);
        },
      });
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sink = `sinks:
  - name: hook
    from: arrivals
    type: webhook
    config: {url: 'http://127.0.0.1:${server.address().port}/', batch_size: 20, timeout: ${timeout}}
`;
  for (const [path, text] of Object.entries({ ...files, 'models/sinks.yml': sink })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const project = await loadProject({ projectDir: folder });
  const db = await openDatabase(project.target, { root: folder, command: 'bench' });
  await db.transaction(async (tx) => {
    const deployer = await Deployer.begin(tx, project);
    for (const source of Object.values(project.manifest.sources)) await deployer.deploy(source);
    for (const node of Object.values(project.manifest.nodes)) await deployer.deploy(node);
    await deployer.finish();
  });
  await runSinks(db, project, { follow: false, signal: new AbortController().signal });
  const stop = new AbortController();
  const lags = [];
  const running = runSinks(db, project, {
    follow: true,
    signal: stop.signal,
    onEvent(event) {
      if (event.kind === 'delivered') lags.push(event.lagMs);
      if (event.kind === 'retry') counts.retries++;
    },
  });
  const [source] = Object.values(project.manifest.sources);
  const started = performance.now();
  const total = seconds * RATE;
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.ceil(((performance.now() - started) / 1000) * RATE));
    const records = Array.from({ length: due - sent }, (_, n) => ({
      event_id: sent + n + 1,
      user_id: `u${n % 50}`,
    }));
    if (records.length > 0) await put(db, source, records);
    sent = due;
    await sleep(50);
  }
  for (;;) {
    const [status] = await readSinkStatus(db, project);
    if (status.waiting === 0 && seen.size + status.rejected >= total) break;
    await sleep(100);
  }
  const took = (performance.now() - started) / 1000;
  const [{ rejected }] = await readSinkStatus(db, project);
  stop.abort();
  await running;
  await db.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  lags.sort((a, b) => a - b);
  const at = (share) => Math.round(lags[Math.floor((lags.length - 1) * share)]).toLocaleString('en-US');
  return [
    total.toLocaleString('en-US'),
    seen.size.toLocaleString('en-US'),
    counts.twice,
    counts.otherId,
    rejected,
    counts.requests,
    counts.retries,
    at(0.5),
    at(0.99),
    `${took.toFixed(1)} s`,
  ];
}
