// The whole way, live: generators → HTTP → `seg serve` (ingest → views → sinks) → receivers on this machine, with a table of rates,
// lag and segment sizes that is kept up to date. Once a second somebody crosses the MQL threshold, and two seconds later
// takes that back: how long each alert and its resolve take is measured where they arrive.
//   npm run demo:live -- [--seconds 60] [--rate 200] [--users 2000]
import { existsSync, rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { crossThresholds, Latencies, sendEvents, startReceiver } from './live/load.mjs';
import { readMetrics, serveProject } from './live/server.mjs';
import { startPostgres } from './temporary-postgres.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '0' },
    rate: { type: 'string', default: '200' },
    users: { type: 'string', default: '2000' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
process.env.SEG_DATA ??= '.seg/live';
process.env.SEG_LAKE ??= '.seg/live-lake';
for (const path of [process.env.SEG_DATA, `${process.env.SEG_DATA}.lock`, process.env.SEG_LAKE])
  rmSync(path, { recursive: true, force: true });

const stop = new AbortController();
// The first Ctrl-C ends it in order, a second one at once.
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => (stop.signal.aborted ? process.exit(130) : stop.abort()));
const atEnd = [];

const fired = new Latencies();
const resolved = new Latencies();
const notes = [];
const live = process.stdout.isTTY === true;
const seen = { fired: [], resolved: [] };
let last = new Map();
let server;
let db;
let started = performance.now();
let lastAt = started;
let code = 0;
try {
  code = await run();
} catch (error) {
  if (!stop.signal.aborted) throw error;
  console.log('Stopped before the server was there.');
} finally {
  for (const end of atEnd.reverse()) await end();
}
process.exit(code);

async function run() {
  const receiver = await startReceiver({
    onAlert: (email, status) => (status === 'firing' ? fired : resolved).arrived(email),
  });
  atEnd.push(() => receiver.stop());
  process.env.SEG_RECEIVER ??= receiver.url;
  if (process.env.SEG_MIRROR === undefined) {
    // Without a PostgreSQL on this machine everything but the two mirrors runs.
    const postgres = await startPostgres({ quiet: true, install: false }).catch(() => undefined);
    if (postgres !== undefined) {
      process.env.SEG_MIRROR = postgres.url;
      atEnd.push(() => postgres.stop());
    }
  }
  const mirrors = process.env.SEG_MIRROR !== undefined;

  console.log('Building the project ...');
  server = await serveProject(
    root,
    {},
    {
      args: mirrors ? [] : ['--exclude', 'tag:mirror'],
      onWarning: (line) => notes.push(line.trim()),
      signal: stop.signal,
    },
  );
  atEnd.push(() => server.stop());
  db = new pg.Client({ connectionString: server.postgres.replace('seg_reader@', 'seg@') });
  await db.connect();
  atEnd.push(() => db.end());

  const rate = Number(values.rate);
  const generators = [
    ['segment.segment_events', 0.8],
    ['activity.activity_events', 0.1],
    ['track.track_events', 0.1],
  ].map(([source, share], n) =>
    sendEvents(server.url, {
      source,
      seconds: Infinity,
      clients: 4,
      batch: Math.max(1, Math.round((rate * share) / 20)),
      rate: rate * share,
      users: Number(values.users),
      seed: n + 1,
      signal: stop.signal,
    }),
  );
  // The scores of what the generators send, and of these, are of different people.
  const alerts = crossThresholds(server.url, {
    perSecond: 1,
    signal: stop.signal,
    onSent: (email) => fired.sent(email),
    async retract(email, messageId) {
      resolved.sent(email);
      await db.query('DELETE FROM segmentation.track_events WHERE message_id = $1', [messageId]);
    },
  });

  started = lastAt = performance.now();
  const limit = Number(values.seconds) * 1000;
  while (!stop.signal.aborted) {
    const left = limit > 0 ? Math.max(0, started + limit - performance.now()) : Infinity;
    await sleep(Math.min(left, live ? 1000 : 5000), undefined, { signal: stop.signal }).catch(() => {});
    await draw();
    if (limit > 0 && performance.now() - started >= limit) break;
  }
  const interrupted = stop.signal.aborted;
  stop.abort();
  await Promise.all([...generators, alerts]);
  // What is on its way arrives.
  const patience = performance.now() + (interrupted ? 5000 : 30_000);
  while (fired.missing + resolved.missing > 0 && performance.now() < patience) await sleep(200);
  await draw();
  const missing = fired.missing + resolved.missing;
  console.log(`\nMQL alerts, from the event's request to the webhook: ${alertFigures()}`);
  console.log(`missing: ${missing}; the same one twice: ${receiver.counts.repeats}`);
  const files = existsSync(process.env.SEG_LAKE) ? `; files are in ${process.env.SEG_LAKE}` : '';
  console.log(
    `The database stays in ${process.env.SEG_DATA}${files}. Look at it:  SEG_DATA=${process.env.SEG_DATA} npx seg sync status`,
  );
  return interrupted || missing + receiver.counts.repeats === 0 ? 0 : 1;
}

async function draw() {
  const now = performance.now();
  const seconds = (now - lastAt) / 1000;
  const metrics = await readMetrics(server.url);
  const { rows: states } = await db.query(
    `SELECT s.name, s.state,
       (SELECT count(*) FROM _seg.sink_queue AS q WHERE q.sink = s.id)::integer AS waiting,
       (SELECT count(*) FROM _seg.sink_rejections AS r WHERE r.sink_id = s.id)::integer AS rejected
     FROM _seg.sink AS s ORDER BY s.name`,
  );
  const change = (name) => ((metrics.get(name) ?? 0) - (last.get(name) ?? 0)) / seconds;
  const lines = states.map(({ name, state, waiting, rejected }) => {
    const records = metrics.get(`seg_sink_changes_total{sink="${name}"}`) ?? 0;
    const lag = histogram(metrics, 'seg_sink_delivery_seconds', name);
    return [
      name,
      state,
      records,
      change(`seg_sink_changes_total{sink="${name}"}`).toFixed(0),
      lag.count === 0 ? '' : (records / lag.count).toFixed(1),
      lag.at(0.5),
      lag.at(0.99),
      waiting,
      rejected,
    ];
  });
  const { rows: sizes } = await db.query(
    'SELECT vendor, segment, members FROM segmentation.segment_sizes ORDER BY members DESC, vendor, segment LIMIT 5',
  );
  const ingested = [...metrics].filter(([name]) => /^seg_ingest_records_total.*accepted/.test(name));
  const total = ingested.reduce((sum, [, count]) => sum + count, 0);
  const perSecond = ingested.reduce((sum, [name]) => sum + change(name), 0);
  [last, lastAt] = [metrics, now];
  if (live) process.stdout.write('\x1b[H\x1b[2J');
  console.log(
    `\n${((now - started) / 1000).toFixed(0)} s: ${total} events ingested, ${perSecond.toFixed(0)}/s`,
  );
  print(['sink', 'state', 'sent', 'per s', 'a batch', 'lag p50 ms', 'p99', 'waiting', 'rejected'], lines);
  console.log(`\nMQL alerts, from the event's request to the webhook: ${alertFigures()}\n`);
  print(
    ['vendor', 'segment', 'members'],
    sizes.map(({ vendor, segment, members }) => [vendor, segment, members]),
  );
  for (const note of notes.slice(-5)) console.log(`! ${note}`);
}

function alertFigures() {
  const text = (latencies, name) => {
    seen[name].push(...latencies.take());
    const sorted = seen[name].sort((a, b) => a - b);
    const at = (share) =>
      sorted.length === 0
        ? '–'
        : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
    return `${sorted.length} ${name}, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`;
  };
  return `${text(fired, 'fired')}; ${text(resolved, 'resolved')}`;
}

/** How many deliveries there were, and the upper ends of the buckets that shares of them lie in, ms. */
function histogram(metrics, name, sink) {
  const count = metrics.get(`${name}_count{sink="${sink}"}`) ?? 0;
  const buckets = [...metrics]
    .map(([key, below]) => [
      new RegExp(`^${name}_bucket\\{le="([\\d.]+)",sink="${sink}"\\}$`).exec(key)?.[1],
      below,
    ])
    .filter(([end]) => end !== undefined);
  const at = (share) => {
    const end = buckets.find(([, below]) => below >= count * share)?.[0];
    return count === 0 ? '' : end === undefined ? '> 10,000' : `≤ ${Math.round(Number(end) * 1000)}`;
  };
  return { count, at };
}

function print(head, rows) {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => String(row[column]).length)),
  );
  const line = (cells) =>
    cells
      .map((cell, column) =>
        typeof rows[0]?.[column] === 'string' && column < 2
          ? String(cell).padEnd(widths[column])
          : String(cell).padStart(widths[column]),
      )
      .join('  ');
  console.log(line(head));
  for (const row of rows) console.log(line(row));
}
