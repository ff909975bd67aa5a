/* global fetch, performance */
// Ingest through HTTP while feeds follow: rate, latency of a request, latency from a request to its change in a feed, memory.
//
//     seg serve --port 18080 &
//     node tests/bench/serve.mjs --url http://127.0.0.1:18080 --pid <pid of seg serve> [--seconds 30] [--clients 8] [--batch 100] [--feeds 10]
//
// The events are those of the reference project's source segment.segment_events.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    pid: { type: 'string' },
    seconds: { type: 'string', default: '30' },
    clients: { type: 'string', default: '8' },
    batch: { type: 'string', default: '100' },
    feeds: { type: 'string', default: '10' },
  },
});
const [seconds, clients, batch, feeds] = [values.seconds, values.clients, values.batch, values.feeds].map(
  Number,
);

const { models } = await (await fetch(`${values.url}/v1/models`)).json();
const followed = models.filter(({ feed }) => feed).slice(0, feeds);
if (!followed.some(({ name }) => name === 'segment_memberships')) {
  followed[0] = models.find(({ name }) => name === 'segment_memberships') ?? followed[0];
}
const sentAt = new Map();
const feedLatencies = [];
let changes = 0;
const stop = new AbortController();
for (const { name } of followed) void follow(name);

async function follow(model) {
  const response = await fetch(`${values.url}/v1/changes/${model}?snapshot=false`, {
    headers: { accept: 'text/event-stream' },
    signal: stop.signal,
  });
  let rest = '';
  try {
    for await (const chunk of response.body.pipeThrough(new globalThis.TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        const now = performance.now();
        for (const change of JSON.parse(data).changes ?? []) {
          changes++;
          const begun = sentAt.get(change.row?.user_id);
          if (begun === undefined) continue;
          feedLatencies.push(now - begun);
          sentAt.delete(change.row.user_id);
        }
      }
    }
  } catch {
    // Aborted at the end.
  }
}

const latencies = [];
let records = 0;
const until = performance.now() + seconds * 1000;
const memory = [];
const sampler = globalThis.setInterval(() => memory.push(residentMegabytes()), 1000);

async function client(number) {
  while (performance.now() < until) {
    const body = [];
    // One new user a request, who can be recognised in the feeds.
    const marked = `bench-${number}-${records}`;
    for (let n = 0; n < batch; n++) {
      const user = n === 0 ? marked : `usr-${Math.floor(Math.random() * 1000)}`;
      const segment = { vendor: 1 + (n % 4), name: `seg-${Math.floor(Math.random() * 100)}` };
      body.push({ event: randomUUID(), timestamp: new Date().toISOString(), user, segment });
    }
    const begun = performance.now();
    sentAt.set(marked, begun);
    const response = await fetch(`${values.url}/v1/sources/segment.segment_events/records`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    if (response.status === 429) {
      await new Promise((resolve) => globalThis.setTimeout(resolve, 100));
      continue;
    }
    latencies.push(performance.now() - begun);
    records += batch;
  }
}

const begun = performance.now();
await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
const took = (performance.now() - begun) / 1000;
await new Promise((resolve) => globalThis.setTimeout(resolve, 1000));
globalThis.clearInterval(sampler);
stop.abort();
const at = (list, share) => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted.length === 0
    ? null
    : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
};
console.log(
  JSON.stringify({
    feeds: followed.length,
    clients,
    batch,
    records,
    recordsPerSecond: Math.round(records / took),
    requestMs: { p50: at(latencies, 0.5), p99: at(latencies, 0.99) },
    feedMs: { p50: at(feedLatencies, 0.5), p99: at(feedLatencies, 0.99), seen: feedLatencies.length },
    changes,
    residentMb: { first: memory[0], last: memory.at(-1), most: Math.max(...memory) },
  }),
);
process.exit(0);

function residentMegabytes() {
  if (values.pid === undefined) return 0;
  const status = readFileSync(`/proc/${values.pid}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
}
