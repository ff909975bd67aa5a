import process from 'node:process';
import { performance } from 'node:perf_hooks';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  crossThresholds,
  follow,
  Latencies,
  sendEvents,
  startReceiver,
} from '../../../scripts/live/load.mjs';
import { readMetrics, serveProject } from '../../../scripts/live/server.mjs';
import { writeProject } from '../lib/serve-project.mjs';

export const about =
  'seg serve: records over HTTP while ten feeds and five sinks follow; rate, event to webhook, memory (wall-clock times)';

const FEEDS = 10;
const FULL_SPEED_SECONDS = 30;
const SAMPLE_SECONDS = 10;

export async function run({ quick, scratch, say, table, options }) {
  const seconds = Number(options.seconds ?? (quick ? 60 : 540));
  const rate = Number(options.rate ?? 200);
  const folder = join(scratch, 'project');
  mkdirSync(folder);
  const sinks = writeProject(folder);
  const toProfile = new Latencies();
  const toAlert = new Latencies();
  const toFeed = new Latencies();
  const receiver = await startReceiver({
    onProfile: (user) => toProfile.arrived(user),
    onAlert: (email) => toAlert.arrived(email),
  });
  const server = await serveProject(
    folder,
    { SEG_DATA: 'data', SEG_RECEIVER: receiver.url, SEG_LAKE: join(scratch, 'lake') },
    { node: (process.env.BENCH_NODE ?? '').split(' ').filter(Boolean) },
  );
  const stop = new AbortController();
  try {
    const { models } = await (await globalThis.fetch(`${server.url}/v1/models`)).json();
    const names = models.filter(({ feed }) => feed).map(({ name }) => name);
    const followed = ['user_profiles', ...names.filter((name) => name !== 'user_profiles')].slice(0, FEEDS);
    const feeds = follow(server.url, followed, stop.signal, (user) => toFeed.arrived(user));
    const onSent = ({ user }) => {
      toProfile.sent(user);
      toFeed.sent(user);
    };
    const alerts = crossThresholds(server.url, {
      perSecond: 1,
      signal: stop.signal,
      onSent: (email) => toAlert.sent(email),
    });

    // Feeds and sinks that nobody had before are switched on meanwhile, and programs are planned when they first run.
    const cold = performance.now();
    await sendEvents(server.url, { seconds: 1, clients: 1, batch: 1, rate: 1, seed: 3 });
    const first = Math.round(performance.now() - cold);
    for (const latencies of [toProfile, toAlert, toFeed]) latencies.take();

    say(`as fast as it goes for ${FULL_SPEED_SECONDS} s`);
    const fast = await sendEvents(server.url, {
      seconds: FULL_SPEED_SECONDS,
      clients: 8,
      batch: 100,
      onSent,
      seed: 1,
    });
    const fastRow = row('as fast as it goes, 8 clients, 100 a request', fast, { toProfile, toAlert, toFeed });
    // What was still on its way is not the steady rate's.
    await sleep(3000);
    for (const latencies of [toProfile, toAlert, toFeed]) latencies.take();

    await sayTurns(server.url, say);

    say(`${rate} records a second for ${seconds} s`);
    const samples = [];
    const began = performance.now();
    const sampling = (async () => {
      while (!stop.signal.aborted) {
        samples.push({ at: (performance.now() - began) / 1000, ...(await memory(server.url)) });
        say(JSON.stringify(samples.at(-1)));
        await sleep(SAMPLE_SECONDS * 1000, undefined, { signal: stop.signal }).catch(() => {});
      }
    })();
    const steady = await sendEvents(server.url, { seconds, clients: 16, batch: 10, rate, onSent, seed: 2 });
    const steadyRow = row(`${rate} a second, 10 a request`, steady, { toProfile, toAlert, toFeed });
    await sayTurns(server.url, say);
    stop.abort();
    await Promise.all([alerts, sampling]);

    table(
      [
        'load',
        'records/s',
        'answer p50',
        'p99',
        'event to feed p50',
        'p99',
        'event to webhook p50',
        'p99',
        'event to MQL alert p50',
        'p99',
        'most',
      ],
      [fastRow, steadyRow],
      `${followed.length} feeds, ${sinks.length} sinks; milliseconds. ${feeds.changes} changes to the feeds, ${receiver.counts.records} ` +
        `to the receivers; ${receiver.counts.alerts} alerts, ${receiver.counts.repeats} of them twice; ${feeds.cutOff} feeds cut off, ` +
        `${fast.refused + steady.refused} requests refused. The first request of all, while feeds and sinks were switched on, took ${first} ms.`,
    );
    const minutes = everyMinute(samples, seconds);
    table(
      ['after', 'resident', 'heap used', 'heap', 'external', 'engine', 'the rest'],
      minutes.map((sample) => [
        `${Math.round(sample.at / 60)} min`,
        ...['resident', 'heapUsed', 'heap', 'external', 'engine', 'rest'].map((name) =>
          megabytes(sample[name]),
        ),
      ]),
      'Memory of the server at the steady rate, MB: the least of each minute (what a garbage collection has left).',
    );
  } finally {
    stop.abort();
    await server.stop();
    await receiver.stop();
  }
}

function row(name, sent, { toProfile, toAlert, toFeed }) {
  const at = (list, share) =>
    list.length === 0
      ? '–'
      : Math.round(list[Math.min(list.length - 1, Math.floor(share * list.length))]).toLocaleString('en-US');
  const both = (list) => [at(list, 0.5), at(list, 0.99)];
  const answers = sent.latencies.sort((a, b) => a - b);
  const alerts = toAlert.take();
  return [
    name,
    Math.round(sent.records / sent.seconds).toLocaleString('en-US'),
    ...both(answers),
    ...both(toFeed.take()),
    ...both(toProfile.take()),
    ...both(alerts),
    at(alerts, 1),
  ];
}

/** Who has used the database how often and how long, since the server began. */
async function sayTurns(url, say) {
  const metrics = await readMetrics(url);
  for (const [name, count] of metrics) {
    const kind = /^seg_turn_seconds_count\{kind="(\w+)"\}$/.exec(name)?.[1];
    if (kind === undefined) continue;
    const slow = count - metrics.get(`seg_turn_seconds_bucket{le="1",kind="${kind}"}`);
    const sum = metrics.get(`seg_turn_seconds_sum{kind="${kind}"}`);
    say(`${kind}: ${count} turns, ${sum.toFixed(1)} s, ${slow} of them longer than 1 s`);
  }
}

/** Bytes: of the process, of V8's heap, of buffers outside of it, of the engine's own linear memory, and what is none of these. */
async function memory(url) {
  const metrics = await readMetrics(url);
  const of = (name) => metrics.get(name) ?? 0;
  const resident = of('process_resident_memory_bytes');
  const heap = of('nodejs_heap_size_total_bytes');
  const external = of('nodejs_external_memory_bytes');
  const engine = of('seg_engine_memory_bytes');
  return {
    resident,
    heapUsed: of('nodejs_heap_size_used_bytes'),
    heap,
    external,
    engine,
    rest: resident - heap - engine,
  };
}

function everyMinute(samples, seconds) {
  const rows = [];
  for (let minute = 0; minute * 60 < seconds; minute++) {
    const of = samples.filter(({ at }) => at >= minute * 60 && at < (minute + 1) * 60);
    if (of.length === 0) continue;
    const least = Object.fromEntries(
      Object.keys(of[0]).map((name) => [name, Math.min(...of.map((sample) => sample[name]))]),
    );
    rows.push({ ...least, at: (minute + 1) * 60 });
  }
  return rows;
}

function megabytes(bytes) {
  return Math.round(bytes / 2 ** 20).toLocaleString('en-US');
}
