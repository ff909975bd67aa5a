// What a slow receiver does to a sink: events come in at a steady rate while the receiver of profile_push takes longer and
// longer for each request. It gets fewer, larger batches in which changes of one user are rolled up to the last; nothing
// is lost, and nobody waits for it.   npm run demo:backpressure -- [--seconds 10] [--rate 300] [--delays 0,50,200,1000]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startReceiver } from './local-receiver.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '300' },
    users: { type: 'string', default: '300' },
    delays: { type: 'string', default: '0,50,200,1000' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);
const folder = mkdtempSync(join(tmpdir(), 'seg-backpressure-'));
process.env.SEG_DATA = join(folder, 'data');
let delay = 0;
const receiver = await startReceiver({ port: 0, delayMs: () => delay });
process.env.SEG_RECEIVER = receiver.url;

const { runCommandLine } = await import('../dist/cli/run-command-line.js');
const { version } = await import('../dist/version.js');
const { openDatabase } = await import('../dist/engines/registry.js');
const { loadProject } = await import('../dist/project/load.js');
const { generateInto } = await import('../dist/connectors/generate-into.js');
const { generate } = await import('../dist/connectors/generate.js');
const { runSinks } = await import('../dist/sinks/run-sinks.js');
const { readSinkStatus } = await import('../dist/sinks/status.js');

const status = await runCommandLine(['run', '--quiet', '--select', '+user_profiles'], version, {
  env: process.env,
  cwd: root,
  stdin: process.stdin,
  writeOut: async (text) => void process.stdout.write(text),
  writeError: (text) => void process.stderr.write(text),
  outIsTerminal: false,
  errorIsTerminal: false,
  outWidth: undefined,
  errorWidth: undefined,
  signal: new AbortController().signal,
});
if (status !== 0) process.exit(status);
const project = await loadProject({ projectDir: root, env: process.env });
const db = await openDatabase(project.target, { root, command: 'demo:backpressure' });
const source = Object.values(project.manifest.sources).find(({ name }) => name === 'segment_events');
const select = new Set([`sink.${project.name}.profile_push`]);
// The sink begins here: what follows is what it is sent.
await runSinks(db, project, { select, follow: false, signal: new AbortController().signal });

const head = [
  'answer takes',
  'events',
  'events/s',
  'requests',
  'records',
  'a request',
  'rolled up',
  'lag p50',
  'lag p99',
  'most waiting',
];
console.log(head.join('  '));
let seed = 1;
for (const text of values.delays.split(',')) {
  delay = Number(text);
  receiver.paths.clear();
  const lags = [];
  const stop = new AbortController();
  const running = runSinks(db, project, {
    select,
    follow: true,
    signal: stop.signal,
    onEvent: (event) => event.kind === 'delivered' && lags.push(event.lagMs),
  });
  let waiting = 0;
  const watching = (async () => {
    while (!stop.signal.aborted) {
      await sleep(250, undefined, { signal: stop.signal }).catch(() => {});
      const [state] = await readSinkStatus(db, project);
      waiting = Math.max(waiting, state?.waiting ?? 0);
    }
  })();
  const count = Number(values.seconds) * Number(values.rate);
  const started = performance.now();
  const { accepted, seconds } = await generateInto(
    db,
    source,
    generate('segment_events', { seed: seed++, count, users: Number(values.users), segments: 20, repeat: 0 }),
    { rate: Number(values.rate), batchMs: 50 },
  );
  // Until the receiver has all of it.
  while ((await readSinkStatus(db, project))[0].waiting > 0) await sleep(100);
  const all = (performance.now() - started) / 1000;
  stop.abort();
  await Promise.all([running, watching]);
  const { requests = 0, records = 0 } = receiver.paths.get('/profiles') ?? {};
  lags.sort((a, b) => a - b);
  const at = (share) => `${Math.round(lags[Math.floor((lags.length - 1) * share)] ?? 0)} ms`;
  const cells = [
    `${delay} ms`,
    accepted,
    (accepted / seconds).toFixed(0),
    requests,
    records,
    (records / Math.max(1, requests)).toFixed(1),
    `${Math.max(0, Math.round(100 * (1 - records / accepted)))} %`,
    at(0.5),
    at(0.99),
    waiting,
  ];
  console.log(
    cells.map((cell, index) => String(cell).padStart(head[index].length)).join('  '),
    ` all there after ${all.toFixed(1)} s`,
  );
}
await db.close();
await receiver.stop();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
