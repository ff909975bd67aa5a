/**
 * `npm run test:soak -- --cases N --seed S [--workers W] [--failures F] [--features NAMES] [--engine postgres [--sessions N]]`: generated
 * cases until N are done. Seeds are taken one after the other from S on; each is a bundle of tables, queries and histories. A failure
 * is made small and written down: one of a single session to tests/differential/regressions, which `npm test` replays, one of
 * several to target/schedules. Exit code 1 when there was one.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import type { Counts, Outcome } from './bundle.ts';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    /** Stop after so many failures. */
    failures: { type: 'string', default: '10' },
    queries: { type: 'string', default: '8' },
    histories: { type: 'string', default: '12' },
    statements: { type: 'string', default: '7' },
    depth: { type: 'string', default: '4' },
    /** Groups of constructs (features.ts): `usual`, `all`, `none`, or names with commas between them. */
    features: { type: 'string', default: 'usual' },
    /** `pglite`, or `postgres`: several sessions on a server, which SEG_TEST_POSTGRES names. */
    engine: { type: 'string', default: 'pglite' },
    sessions: { type: 'string', default: '3' },
    /** Its databases are called so, with a number. */
    prefix: { type: 'string', default: 'soak' },
    'shrink-seconds': { type: 'string', default: '120' },
    /** Where failures are written. */
    regressions: { type: 'string' },
  },
});
const wanted = Number(values.cases);
const first = Number(values.seed);
const size = {
  views: Number(values.queries),
  histories: Number(values.histories),
  statements: Number(values.statements),
  depth: Number(values.depth),
};
const several = values.engine === 'postgres' && Number(values.sessions) > 1;
const folder =
  values.regressions ??
  join(process.cwd(), ...(several ? ['target', 'schedules'] : ['tests', 'differential', 'regressions']));
const shrinkSeconds = Number(values['shrink-seconds']);
/** A worker that answers nothing for so long is taken for stuck. */
const patience = (shrinkSeconds + 180) * 1000;

let next = first;
let [cases, queries, statements, failures, stuck, recomputed, unanswerable] = [0, 0, 0, 0, 0, 0, 0];
const refused: Counts = {};
const declined: Counts = {};
const milliseconds: Counts = {};
const constructs: Counts = {};
const strategies: Counts = {};
const started = performance.now();
const log = (text: string): void => void process.stdout.write(`${text}\n`);

function add(to: Counts, more: Counts): void {
  for (const [name, count] of Object.entries(more)) to[name] = (to[name] ?? 0) + count;
}

/** A message without the names in it, so that alike ones are counted together. */
const shortened = (text: string): string =>
  text
    .split('\n')[0]!
    .replace(/"(?:[^"]|"")*"(\."(?:[^"]|"")*")*|\d+/g, '#')
    .slice(0, 140);

function record(outcome: Outcome): void {
  cases += outcome.cases;
  queries += outcome.queries;
  statements += outcome.statements;
  unanswerable += outcome.unanswerable;
  add(milliseconds, outcome.milliseconds);
  for (const why of outcome.refused) add(refused, { [shortened(why)]: 1 });
  for (const why of outcome.declined) add(declined, { [shortened(why)]: 1 });
  add(constructs, outcome.constructs);
  add(strategies, outcome.strategies);
  for (const text of outcome.recomputed) {
    recomputed++;
    log(`RECOMPUTED seed ${outcome.seed}: ${text.slice(0, 1000)}`);
  }
  if (outcome.failure === null) return;
  failures++;
  const text = JSON.stringify(
    { about: `seed ${outcome.seed}: ${outcome.failure.what}`.slice(0, 2000), ...outcome.failure.smallest },
    null,
    2,
  );
  const name = `${createHash('sha256').update(text).digest('hex').slice(0, 12)}.json`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), `${text}\n`);
  log(`FAILED seed ${outcome.seed}: ${outcome.failure.what.slice(0, 1000)}\n  ${join(folder, name)}`);
}

const done = (): boolean => cases >= wanted || failures >= Number(values.failures);

function work(database: string | null): Promise<void> {
  return new Promise((resolve) => {
    let worker: ChildProcess;
    let seed = 0;
    let timer: NodeJS.Timeout;
    const give = (): void => {
      clearTimeout(timer);
      if (done()) {
        worker.removeAllListeners('exit');
        worker.disconnect();
        resolve();
        return;
      }
      seed = next++;
      timer = setTimeout(() => worker.kill('SIGKILL'), patience);
      worker.send(seed);
    };
    const start = (): void => {
      worker = fork(join(import.meta.dirname, 'soak-worker.js'), [
        JSON.stringify({
          size,
          shrinkSeconds,
          features: values.features,
          sessions: Number(values.sessions),
          ...(database === null ? {} : { url: database }),
        }),
      ]);
      worker.on('message', (outcome: Outcome) => {
        record(outcome);
        give();
      });
      worker.on('exit', () => {
        stuck++;
        log(`GIVEN UP seed ${seed}: the worker ended or answered nothing`);
        start();
      });
      give();
    };
    start();
  });
}

/** A database for each worker: on a server one of its own each, else none. */
async function databasesOf(workers: number): Promise<(string | null)[]> {
  if (values.engine === 'pglite') return Array.from({ length: workers }, () => null);
  const server = process.env['SEG_TEST_POSTGRES'];
  if (values.engine !== 'postgres' || server === undefined)
    throw new Error('--engine is pglite, or postgres with a server that SEG_TEST_POSTGRES names');
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  const urls: string[] = [];
  for (let i = 0; i < workers; i++) {
    await client.query(`DROP DATABASE IF EXISTS ${values.prefix}${i} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${values.prefix}${i}`);
    const url = new URL(server);
    url.pathname = `/${values.prefix}${i}`;
    urls.push(url.href);
  }
  await client.end();
  return urls;
}

const progress = setInterval(() => {
  const seconds = (performance.now() - started) / 1000;
  log(
    `${Math.round(seconds)} s: ${cases} cases (${(cases / seconds).toFixed(1)}/s), ${queries} queries, ${statements} statements, seeds ${first} to ${next - 1}, ${failures} failures`,
  );
}, 10_000);
const databases = await databasesOf(Number(values.workers));
await Promise.all(databases.map(work));
clearInterval(progress);

const rounded = (counts: Counts): Counts =>
  Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Math.round(count)]));
const table = (counts: Counts): string =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `  ${String(count).padStart(8)} ${name}`)
    .join('\n');
const seconds = (performance.now() - started) / 1000;
log(
  `\nconstructs (queries that hold them)\n${table(constructs)}\n\nstrategies (stages)\n${table(strategies)}\n\n` +
    `queries refused by the server\n${table(refused)}\n\nqueries refused by seg\n${table(declined)}\n\n` +
    `milliseconds of work\n${table(rounded(milliseconds))}\n`,
);
log(
  `${cases} cases (${queries} queries, ${statements} statements, each compared), seeds ${first} to ${next - 1}, in ${Math.round(seconds)} s: ` +
    `${failures} failures, ${stuck} given up, ${recomputed} recomputed that need not be, ${unanswerable} statements after which a query fails by itself`,
);
process.exit(failures > 0 || stuck > 0 ? 1 : 0);
