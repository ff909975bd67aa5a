// The whole way, live: generators → ingest → views → sinks → receivers on this machine, with a table of rates, lag and
// segment sizes that is kept up to date.   npm run demo:live -- [--seconds 60] [--rate 200] [--users 2000]
import { existsSync, rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startReceiver } from './local-receiver.mjs';
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
rmSync(process.env.SEG_DATA, { recursive: true, force: true });
rmSync(process.env.SEG_LAKE, { recursive: true, force: true });

const receiver = await startReceiver({ port: 0 });
process.env.SEG_RECEIVER ??= receiver.url;
let postgres;
if (process.env.SEG_MIRROR === undefined) {
  // Without a PostgreSQL on this machine everything but the two mirrors runs.
  postgres = await startPostgres({ quiet: true, install: false }).catch(() => undefined);
  if (postgres !== undefined) process.env.SEG_MIRROR = postgres.url;
}

const { runCommandLine } = await import('../dist/cli/run-command-line.js');
const { version } = await import('../dist/version.js');
const { openDatabase } = await import('../dist/engines/registry.js');
const { loadProject } = await import('../dist/project/load.js');
const { generateInto } = await import('../dist/connectors/generate-into.js');
const { generate } = await import('../dist/connectors/generate.js');
const { runSinks } = await import('../dist/sinks/run-sinks.js');
const { readSinkStatus } = await import('../dist/sinks/status.js');
const { sentence } = await import('../dist/sinks/notices.js');
const { setClock } = await import('../dist/clock/clock.js');

const stop = new AbortController();
process.on('SIGINT', () => (stop.signal.aborted ? process.exit(130) : stop.abort()));
console.log('Building the project ...');
const status = await runCommandLine(
  ['build', '--quiet', '--exclude', 'resource_type:scenario', 'resource_type:unit_test'],
  version,
  {
    env: process.env,
    cwd: root,
    stdin: process.stdin,
    writeOut: async (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
    outIsTerminal: false,
    errorIsTerminal: false,
    outWidth: undefined,
    errorWidth: undefined,
    signal: stop.signal,
  },
);
if (status !== 0) process.exit(status);

const project = await loadProject({ projectDir: root, env: process.env });
const db = await openDatabase(project.target, { root, command: 'demo:live' });
const sourceOf = (name) => Object.values(project.manifest.sources).find((source) => source.name === name);
const sinks = Object.values(project.manifest.sinks).filter(
  (sink) => postgres !== undefined || process.env.SEG_MIRROR !== undefined || sink.type !== 'postgres',
);

/** Per sink: what was delivered, and how long after its commit. */
const delivered = new Map(sinks.map(({ name }) => [name, { records: 0, requests: 0, lags: [] }]));
const ingested = { records: 0 };
const notes = [];
const running = runSinks(db, project, {
  select: new Set(sinks.map(({ unique_id }) => unique_id)),
  follow: true,
  signal: stop.signal,
  onEvent(event) {
    if (event.kind === 'delivered') {
      const sink = delivered.get(event.sink);
      sink.records += event.records;
      sink.requests++;
      sink.lags.push(event.lagMs);
      if (sink.lags.length > 500) sink.lags.shift();
    } else if (event.kind === 'state' || event.kind === 'gap') notes.push(sentence(event));
    else if (event.kind === 'rejected') notes.push(`${event.sink} rejected ${event.key}: ${event.reason}`);
  },
});
const rate = Number(values.rate);
const users = Number(values.users);
const into = (stream, share, options) => {
  let before = 0;
  return generateInto(db, sourceOf(stream), generate(stream, { clock: Date.now, users, ...options }), {
    rate: Math.max(1, Math.round(rate * share)),
    signal: stop.signal,
    onProgress: ({ accepted }) => {
      ingested.records += accepted - before;
      before = accepted;
    },
  });
};
const generators = [
  into('segment_events', 0.8, { segments: 50 }),
  into('activity_events', 0.1, {}),
  into('track_events', 0.1, {}),
];
const clock = setInterval(() => {
  setClock(db, new Date().toISOString()).catch(() => {});
}, 1000);

const live = process.stdout.isTTY === true;
const started = performance.now();
let last = { at: started, ingested: 0, sinks: new Map() };
const limit = Number(values.seconds) * 1000;
while (!stop.signal.aborted) {
  await sleep(live ? 1000 : 5000, undefined, { signal: stop.signal }).catch(() => {});
  await draw();
  if (limit > 0 && performance.now() - started >= limit) stop.abort();
}
await Promise.all(generators);
clearInterval(clock);
await running;
await draw();
await db.close();
await receiver.stop();
postgres?.stop();
const files = existsSync(process.env.SEG_LAKE) ? `; files are in ${process.env.SEG_LAKE}` : '';
console.log(
  `\nThe database stays in ${process.env.SEG_DATA}${files}. Look at it:  SEG_DATA=${process.env.SEG_DATA} npx seg sync status`,
);
process.exit(0);

async function draw() {
  const now = performance.now();
  const seconds = (now - last.at) / 1000;
  const states = new Map((await readSinkStatus(db, project)).map((state) => [state.sink, state]));
  const lines = [...delivered].map(([name, sink]) => {
    const before = last.sinks.get(name) ?? 0;
    const lags = [...sink.lags].sort((a, b) => a - b);
    const at = (share) =>
      lags.length === 0 ? '' : `${Math.round(lags[Math.floor((lags.length - 1) * share)])}`;
    const state = states.get(name);
    return [
      name,
      state?.state ?? 'starting',
      sink.records,
      ((sink.records - before) / seconds).toFixed(0),
      sink.requests === 0 ? '' : (sink.records / sink.requests).toFixed(1),
      at(0.5),
      at(0.99),
      state?.waiting ?? 0,
      state?.rejected ?? 0,
    ];
  });
  const sizes = await db.query(
    'SELECT vendor, segment, members FROM segmentation.segment_sizes ORDER BY members DESC, vendor, segment LIMIT 5',
  );
  const ingestRate = ((ingested.records - last.ingested) / seconds).toFixed(0);
  last = {
    at: now,
    ingested: ingested.records,
    sinks: new Map([...delivered].map(([name, { records }]) => [name, records])),
  };
  if (live) process.stdout.write('\x1b[H\x1b[2J');
  console.log(
    `\n${((now - started) / 1000).toFixed(0)} s: ${ingested.records} events ingested, ${ingestRate}/s`,
  );
  print(['sink', 'state', 'sent', 'per s', 'a batch', 'lag p50 ms', 'p99', 'waiting', 'rejected'], lines);
  console.log('');
  print(
    ['vendor', 'segment', 'members'],
    sizes.rows.map(({ vendor, segment, members }) => [vendor, segment, members]),
  );
  for (const note of notes.slice(-5)) console.log(`! ${note}`);
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
