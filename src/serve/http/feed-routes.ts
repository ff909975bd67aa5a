/**
 * GET /v1/changes/<model>: the change feed of a model, in three forms:
 *
 *     Accept: text/event-stream    Server-Sent Events; the id of an event is a position, and `Last-Event-ID` goes on there
 *     WebSocket                    one message a snapshot part or batch
 *     else                         long-poll: ?from=<position>&wait=<seconds>
 *
 * Parameters: from, snapshot=false, columns=a,b, wait. Positions are opaque.
 */
import { stringifyJson } from '../../json/exact-json.ts';
import type { Writable } from '../../json/exact-json.ts';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { checkView } from '../../feeds/feed-view.ts';
import { checkPosition, followable, readChangePage, readSnapshot } from '../../feeds/feed.ts';
import type { Snapshot } from '../../feeds/feed.ts';
import type { ChangeBatch, Position } from '../../changelog/change.ts';
import type { FeedItem, FeedRequest } from '../../feeds/hub.ts';
import { withDeadline } from '../../sinks/deadline.ts';
import type { ServerState } from '../server-state.ts';
import { failures, json, object, OF_DATABASE } from './answers.ts';
import { Parameters } from './parameters.ts';
import { problemOf } from './problems.ts';

/** A follower that takes nothing for so long is cut off; it can go on where it was. */
const PATIENCE_MS = 30_000;
const HEARTBEAT_MS = 15_000;
const LONGEST_WAIT_S = 60;
/** Rows of a snapshot in one event. */
const SNAPSHOT_ROWS = 500;

const PARAMETERS = new Parameters({
  from: {
    type: 'string',
    description: 'The position to go on from; the header Last-Event-ID does the same.',
  },
  snapshot: { type: 'boolean', description: 'false: begin with the changes.', default: true },
  columns: {
    type: 'string',
    description: 'Names, separated by commas: these columns and their changes only.',
  },
  wait: {
    type: 'number',
    description: 'Long-poll: seconds to wait for a change.',
    minimum: 0,
    maximum: LONGEST_WAIT_S,
    default: 0,
  },
});

const position = { type: 'string' };
const rows = { type: 'array', items: { $ref: 'Columns#' } };
const key = { type: ['object', 'null'], description: 'null for a model without a key.' };
const row = { anyOf: [{ $ref: 'Columns#' }, { type: 'null' }] };
const op = { enum: ['insert', 'update', 'delete'] };
const change = object({ op, key, row, before: row });
const changes = { type: 'array', items: change };
const batch = object({ position, at: { type: 'string', format: 'date-time' }, changes });
const more = { type: 'boolean', description: 'Whether there is more behind the position.' };

const SCHEMA = {
  summary: 'Changes of {model}: Server-Sent Events, a WebSocket, or a long-poll',
  description:
    'With "Accept: text/event-stream": events "snapshot" ({"position", "rows", "last"}) and "changes" (a batch), ' +
    'each with the position to go on from as its id. A WebSocket to the same path gets the same, an event a message ' +
    '({"event": "snapshot", ...}). Else a long-poll: a snapshot, and from a position on the batches since.',
  querystring: PARAMETERS.schema,
  headers: {
    type: 'object',
    properties: { 'last-event-id': { type: 'string', description: 'As "from".' } },
  },
  response: {
    101: { description: 'A WebSocket.', type: 'null' },
    200: {
      description: 'Rows or changes.',
      content: {
        ...json({
          anyOf: [
            object({ position, rows }),
            object({ position, batches: { type: 'array', items: batch }, more }, 'more'),
          ],
        }),
        'text/event-stream': { schema: { type: 'string' } },
      },
    },
    ...failures(...OF_DATABASE, 409, 410),
  },
};

interface Message {
  readonly event: 'snapshot' | 'changes';
  /** Where to go on once this was dealt with. */
  readonly id?: string;
  readonly data: string;
}

type ChangesRequest = FastifyRequest<{ Params: { model: string } }>;

export function feedRoutes(app: FastifyInstance, state: ServerState): void {
  app.route<{ Params: { model: string } }>({
    method: 'GET',
    url: '/v1/changes/:model',
    schema: SCHEMA,
    config: { action: 'read', object: 'model' },
    handler: async (request, reply) => {
      const { feed, wait } = await feedRequest(state, request);
      if ((request.headers.accept ?? '').includes('text/event-stream'))
        return serveEvents(state, feed, reply);
      return reply
        .type('application/json')
        .serializer(serialize)
        .send(await longPoll(state, feed, wait, reply));
    },
    wsHandler: (socket, request) => void serveSocket(state, socket, request),
  });
}

/** @throws SegError when the feed cannot be opened: before the answer has begun */
async function feedRequest(
  state: ServerState,
  request: ChangesRequest,
): Promise<{ feed: FeedRequest; wait: number }> {
  const query = PARAMETERS.read(request);
  const { uniqueId } = await state.relation(request.params.model);
  const db = state.shared.as('feed');
  const node = await followable(db, uniqueId, state.stateSchema);
  const columns = query.columns?.split(',');
  await checkView(node, { columns });
  const last = request.headers['last-event-id'];
  const from = (typeof last === 'string' && last !== '' ? last : undefined) ?? query.from;
  if (from !== undefined) await checkPosition(db, node, from, state.stateSchema);
  return {
    feed: { model: uniqueId, columns, from, skipSnapshot: query.snapshot === false },
    wait: query.wait ?? 0,
  };
}

async function serveEvents(state: ServerState, feed: FeedRequest, reply: FastifyReply): Promise<void> {
  reply.hijack();
  const out = reply.raw;
  const gone = new AbortController();
  out.on('close', () => gone.abort());
  out.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  out.flushHeaders();
  const heartbeat = setInterval(() => {
    if (!out.writableNeedDrain) out.write(':\n\n');
  }, HEARTBEAT_MS);
  try {
    for await (const item of state.hub.follow({ ...feed, signal: gone.signal })) {
      for (const { event, id, data } of messagesOf(item)) {
        const text = `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;
        if (!(await write(out, text, gone.signal))) {
          state.metrics.cutOff.inc();
          out.destroy();
          return;
        }
      }
    }
  } catch (error) {
    const { problem } = problemOf(error);
    await write(out, `event: error\ndata: ${JSON.stringify(problem)}\n\n`, gone.signal);
  } finally {
    clearInterval(heartbeat);
    out.end();
  }
}

/** False when the reader took nothing for too long. */
async function write(out: ServerResponse, text: string, gone: AbortSignal): Promise<boolean> {
  if (out.destroyed || out.write(text)) return true;
  return withDeadline(PATIENCE_MS, gone, async (signal, timedOut) => {
    await once(out, 'drain', { signal }).catch(() => {});
    return !timedOut();
  });
}

function* messagesOf(item: FeedItem): Generator<Message> {
  if ('batch' in item) {
    yield { event: 'changes', id: item.batch.position, data: batchText(item.batch) };
    return;
  }
  const { rows, position, more } = item.snapshot;
  for (let start = 0; start === 0 || start < rows.length; start += SNAPSHOT_ROWS) {
    const last = more !== true && start + SNAPSHOT_ROWS >= rows.length;
    const part = { rows: rows.slice(start, start + SNAPSHOT_ROWS), last };
    // Only the whole snapshot is something to go on from.
    yield {
      event: 'snapshot',
      ...(last ? { id: position } : {}),
      data: stringifyJson(last ? { position, ...part } : part),
    };
  }
}

/** Followers of one model are handed the same batches. */
const written = new WeakMap<ChangeBatch, string>();

function batchText(batch: ChangeBatch): string {
  let text = written.get(batch);
  if (text === undefined) {
    text = serialize(batch);
    written.set(batch, text);
  }
  return text;
}

async function serveSocket(state: ServerState, socket: WebSocket, request: ChangesRequest): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => gone.abort());
  socket.on('error', () => socket.terminate());
  // Nothing is expected from the client; a ping it does not answer ends it.
  let alive = true;
  socket.on('pong', () => (alive = true));
  const heartbeat = setInterval(() => {
    if (!alive) socket.terminate();
    alive = false;
    socket.ping();
  }, HEARTBEAT_MS);
  try {
    const { feed } = await feedRequest(state, request);
    for await (const item of state.hub.follow({ ...feed, signal: gone.signal })) {
      for (const { event, data } of messagesOf(item)) {
        if (!(await sendMessage(socket, `{"event":"${event}",${data.slice(1)}`))) {
          state.metrics.cutOff.inc();
          socket.terminate();
          return;
        }
      }
    }
    socket.close(1001, 'the server stops');
  } catch (error) {
    const { problem } = problemOf(error);
    await sendMessage(socket, JSON.stringify({ event: 'error', ...problem }));
    socket.close(1008, problem.code);
  } finally {
    clearInterval(heartbeat);
  }
}

/** Resolves when the message has left this process; false when that takes too long. */
export function sendMessage(socket: WebSocket, text: string): Promise<boolean> {
  if (socket.readyState !== socket.OPEN) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE_MS);
    socket.send(text, () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** Without a position to begin from: the rows, or where to begin; else what has changed. */
type PollAnswer =
  | Pick<Snapshot, 'position' | 'rows'>
  | { readonly position: Position; readonly batches: readonly ChangeBatch[]; readonly more?: boolean };

function serialize(answer: unknown): string {
  return stringifyJson(answer as Writable);
}

async function longPoll(
  state: ServerState,
  feed: FeedRequest,
  wait: number,
  reply: FastifyReply,
): Promise<PollAnswer> {
  const db = state.shared.as('feed');
  const { stateSchema } = state;
  const view = { columns: feed.columns };
  if (feed.from === undefined) {
    // Switches the feed on, so that the position can be gone on from.
    await state.hub.follow({ ...feed, skipSnapshot: true, once: true }).next();
    const { position, rows } = await readSnapshot(db, feed.model, { stateSchema, view });
    return feed.skipSnapshot === true ? { position, batches: [] } : { position, rows };
  }
  const read = () => readChangePage(db, feed.model, feed.from!, { stateSchema, view, paged: true });
  let page = await read();
  if (page.batches.length === 0 && wait > 0 && state.ready) {
    const gone = new AbortController();
    reply.raw.on('close', () => gone.abort());
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(wait * 1000)]);
    const first = await state.hub.follow({ ...feed, from: page.position, signal }).next();
    if (first.done !== true) page = await read();
  }
  return { position: page.position, batches: page.batches, more: page.more };
}
