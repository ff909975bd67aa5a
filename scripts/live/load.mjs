// Those who use a server at the same time: writers over HTTP, followers of feeds, and a receiver of webhooks, which together
// see how long an event takes to get through.
import { Buffer } from 'node:buffer';
import { createServer } from 'node:http';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { generate } from '../../dist/connectors/generate.js';

/** When an event was sent that nobody has reported yet, by what it will be known by there. */
export class Latencies {
  #sent = new Map();
  #seen = [];

  sent(key) {
    if (!this.#sent.has(key)) this.#sent.set(key, performance.now());
  }

  arrived(key) {
    const at = this.#sent.get(key);
    if (at === undefined) return;
    this.#sent.delete(key);
    this.#seen.push(performance.now() - at);
  }

  /** What was seen since the last call, sorted. */
  take() {
    return this.#seen.splice(0).sort((a, b) => a - b);
  }

  get missing() {
    return this.#sent.size;
  }
}

/** Answers webhooks and the CRM's batches; calls back for each profile, and for each MQL alert that is new. */
export async function startReceiver({ onProfile = () => {}, onAlert = () => {} }) {
  const counts = { requests: 0, records: 0, alerts: 0, repeats: 0 };
  const alerts = new Set();
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString() || '{}');
      counts.requests++;
      counts.records += body.changes?.length ?? body.inputs?.length ?? 1;
      if (request.url === '/profiles') for (const { row } of body.changes) if (row) onProfile(row.user_id);
      if (request.url === '/alerts') {
        const { email } = body.labels;
        const alert = `${email} ${body.status} ${body.at}`;
        counts.alerts++;
        if (alerts.has(alert)) counts.repeats++;
        alerts.add(alert);
        onAlert(email, body.status);
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ results: (body.inputs ?? []).map(({ id }) => ({ id })) }));
    });
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    counts,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Follows models, half of them over SSE and half over WebSocket, until `signal`; counts what comes. */
export function follow(url, models, signal, onProfile) {
  const counts = { changes: 0, cutOff: 0 };
  const count = (model, changes) => {
    counts.changes += changes.length;
    if (model === 'user_profiles') for (const { row } of changes) if (row) onProfile(row.user_id);
  };
  models.forEach((model, n) => void (n % 2 === 0 ? events(model) : messages(model)));
  return counts;

  async function events(model) {
    try {
      const response = await globalThis.fetch(`${url}/v1/changes/${model}?snapshot=false`, {
        headers: { accept: 'text/event-stream' },
        signal,
      });
      let rest = '';
      for await (const chunk of response.body.pipeThrough(new globalThis.TextDecoderStream())) {
        const blocks = (rest + chunk).split('\n\n');
        rest = blocks.pop();
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data !== undefined) count(model, JSON.parse(data).changes ?? []);
        }
      }
      counts.cutOff++;
    } catch {
      if (!signal.aborted) counts.cutOff++;
    }
  }

  function messages(model) {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/changes/${model}?snapshot=false`);
    socket.on('message', (data) => count(model, JSON.parse(data).changes ?? []));
    socket.on('error', () => {});
    socket.on('close', () => signal.aborted || counts.cutOff++);
    signal.addEventListener('abort', () => socket.terminate());
  }
}

/**
 * Sends events of a generator for so many seconds; without a rate as fast as `clients` get their answers. `onSent` is told of the last
 * record of each request. Too many for the server: they are sent a little later.
 */
export async function sendEvents(url, options) {
  const {
    source = 'segment.segment_events',
    seconds,
    clients,
    batch,
    rate,
    onSent = () => {},
    seed,
    signal,
  } = options;
  const events = generate(source.split('.')[1], {
    seed,
    users: options.users ?? 2000,
    segments: 50,
    clock: Date.now,
  });
  const began = performance.now();
  const until = began + seconds * 1000;
  const outcome = { records: 0, refused: 0, latencies: [] };
  let due = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until && !signal?.aborted) {
        if (rate !== undefined) {
          // Requests are due at fixed moments, whoever sends them.
          const at = began + (due++ * batch * 1000) / rate;
          if (at >= until) return;
          await sleep(Math.max(0, at - performance.now()));
        }
        const records = Array.from({ length: batch }, () => events.next().value);
        const sent = performance.now();
        onSent(records.at(-1));
        let status = await post(url, source, records);
        while (status === 429) {
          outcome.refused++;
          await sleep(100);
          status = await post(url, source, records);
        }
        if (status !== 200) throw new Error(`records were answered with ${status}`);
        outcome.latencies.push(performance.now() - sent);
        outcome.records += batch;
      }
    }),
  );
  outcome.seconds = (performance.now() - began) / 1000;
  return outcome;
}

/**
 * Crosses the MQL threshold with another person each time, `perSecond` times a second. With `retract` the event is taken back after
 * so many milliseconds. Ends when all of that is done.
 */
export async function crossThresholds(url, { perSecond, signal, onSent, retract, retractMs = 2000 }) {
  const open = [];
  for (let n = 0; !signal.aborted; n++) {
    const email = `mql-${n}@example.com`;
    const messageId = globalThis.crypto.randomUUID();
    const now = new Date().toISOString();
    onSent(email);
    await post(url, 'track.track_events', [
      {
        messageId,
        type: 'track',
        event: 'demo_requested',
        userId: `mql-${n}`,
        anonymousId: `mql-${n}`,
        properties: {},
        context: { library: { name: 'live' }, traits: { email } },
        timestamp: now,
        receivedAt: now,
      },
    ]);
    if (retract !== undefined) open.push(sleep(retractMs).then(() => retract(email, messageId)));
    await sleep(1000 / perSecond, undefined, { signal }).catch(() => {});
  }
  await Promise.all(open);
}

export async function post(url, source, records) {
  const response = await globalThis.fetch(`${url}/v1/sources/${source}/records`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records),
  });
  await response.arrayBuffer();
  return response.status;
}
