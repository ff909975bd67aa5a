// The segmentation graph of this project on PostgreSQL beside PGlite: the same records, in turn, by the clock.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { URL } from 'node:url';
import pg from 'pg';
import { openPostgres } from '../../../dist/engines/postgres/open.js';
import { verify } from '../../../dist/verify/verify.js';
import { figure, median, rate } from '../lib/measure.mjs';
import { benchServer } from '../lib/postgres-server.mjs';
import { deploy, openDatabase, projectNodes, put, recordsOf } from '../lib/project-database.mjs';
import { models } from './graph.mjs';

export const about = 'the graph on PostgreSQL beside PGlite: batches, one event, and 16 writers at once';

const WRITERS = 16;

export async function run({ quick, history, scratch, say, table }) {
  const server = await benchServer(say);
  try {
    await compare(server, {
      quick,
      history: quick ? 20_000 : Math.min(history, 200_000),
      scratch,
      say,
      table,
    });
  } finally {
    server?.stop();
  }
}

async function compare(server, { quick, history, scratch, say, table }) {
  const project = await projectNodes();
  const source = project.named('segment_events');
  const contenders = [{ name: 'PGlite', db: await openDatabase(join(scratch, 'pglite')) }];
  if (server !== undefined) contenders.push({ name: server.name, db: await openServer(server.url) });
  for (const contender of contenders) {
    const { db } = contender;
    await deploy(db, project, models);
    contender.take = recordsOf('segment_events', { seed: 1 });
    const started = performance.now();
    for (let done = 0; done < history; done += 10_000) await put(db, source, contender.take(10_000));
    contender.filled = performance.now() - started;
    await db.exec('VACUUM ANALYZE');
    say(`${contender.name}: ${history} events in ${figure(contender.filled)} ms`);
  }
  // The same records for each, one after the other.
  const batches = async (size, rounds) => {
    const times = contenders.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [n, { db, take }] of contenders.entries()) {
        const records = take(size);
        times[n].push(await clocked(() => put(db, source, records)));
      }
    }
    return times.map(median);
  };
  const rows = [
    [
      'history, in batches of 10,000',
      ...perEngine(
        contenders.map(({ filled }) => rate(history, filled)),
        contenders.map(({ filled }) => filled),
      ),
    ],
  ];
  for (const [size, rounds] of quick
    ? [
        [10_000, 3],
        [100, 20],
        [1, 100],
      ]
    : [
        [10_000, 12],
        [1000, 20],
        [100, 40],
        [10, 60],
        [1, 300],
      ]) {
    const times = await batches(size, rounds);
    rows.push([
      `batches of ${size.toLocaleString('en-US')}`,
      ...perEngine(
        times.map((ms) => rate(size, ms)),
        times,
      ),
    ]);
    say(rows.at(-1).join('  '));
  }
  table(
    [
      'seg ingest, all five models',
      ...contenders.map(({ name }) => `${name}, events/s`),
      ...ratioHead(contenders),
    ],
    rows,
    'By the clock; neither syncs its log:',
  );

  const single = await statements(contenders, quick ? 100 : 500);
  const spread = (p) => single.map((times) => times[Math.floor(times.length * p)]);
  table(
    ['one INSERT with parameters', ...contenders.map(({ name }) => `${name}, ms`), ...ratioHead(contenders)],
    [0.5, 0.95, 0.99].map((p) => [
      p === 0.5 ? 'median' : `${p * 100} %`,
      ...perEngine(spread(p).map(figure), spread(p)),
    ]),
  );
  if (server !== undefined) await concurrent(server, { rounds: quick ? 20 : 200, say, table });
  for (const { name, db } of contenders) {
    const wrong = (await verify(db)).filter(({ missing, extra }) => missing + extra > 0);
    if (wrong.length > 0) throw new Error(`${name}: ${wrong.map((view) => view.name).join(', ')} differ`);
    await db.close();
  }
}

function openServer(address) {
  const url = new URL(address);
  const fields = { host: url.hostname, port: Number(url.port), user: url.username, sslmode: 'disable' };
  const target = {
    name: 'bench',
    type: 'postgres',
    schema: 'segmentation',
    database: 'postgres',
    threads: 4,
    fields,
  };
  return openPostgres(target, { root: '.', command: 'bench' });
}

const insert =
  'INSERT INTO segmentation.segment_events (event_id, event_at, user_id, vendor, segment, remove) VALUES (gen_random_uuid(), now(), $1, $2, $3, $4)';
const values = (n) => [
  `usr-${((n * 7919) % 99991).toString(16).padStart(6, '0')}`,
  1 + (n % 10),
  `seg-${(n % 97).toString(16)}`,
  n % 5 === 0,
];

/** Milliseconds of single statements of each contender, sorted. */
async function statements(contenders, rounds) {
  const times = contenders.map(() => []);
  for (let round = 0; round < rounds; round++)
    for (const [n, { db }] of contenders.entries())
      times[n].push(await clocked(() => db.query(insert, values(round))));
  return times.map((all) => all.sort((a, b) => a - b));
}

/** Writers take turns from their first statement on, so more of them wait longer; what they get done together is the figure. */
async function concurrent(server, { rounds, say, table }) {
  const rows = [];
  for (const writers of [1, WRITERS]) {
    const clients = await Promise.all(Array.from({ length: writers }, () => client(server.url)));
    const waits = [];
    const total = rounds * WRITERS;
    const took = await clocked(() =>
      Promise.all(
        clients.map(async (one, w) => {
          for (let n = w; n < total; n += writers)
            waits.push(await clocked(() => one.query(insert, values(n))));
        }),
      ),
    );
    await Promise.all(clients.map((one) => one.end()));
    waits.sort((a, b) => a - b);
    rows.push([
      String(writers),
      total.toLocaleString('en-US'),
      rate(total, took),
      figure(waits[Math.floor(waits.length / 2)]),
      figure(waits[Math.floor(waits.length * 0.99)]),
    ]);
    say(rows.at(-1).join('  '));
  }
  table(
    ['writers', 'transactions of one INSERT', 'together, a second', 'median, ms', '99 %, ms'],
    rows,
    `${server.name}, each on a connection of its own:`,
  );
}

async function client(url) {
  const one = new pg.Client({ connectionString: url });
  await one.connect();
  return one;
}

async function clocked(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The figures, and how many times as fast as PGlite the server is. */
function perEngine(figures, milliseconds) {
  return milliseconds.length < 2 ? figures : [...figures, (milliseconds[0] / milliseconds[1]).toFixed(2)];
}

function ratioHead(contenders) {
  return contenders.length < 2 ? [] : ['ratio of speeds'];
}
