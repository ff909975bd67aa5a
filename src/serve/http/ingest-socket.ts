/**
 * WebSocket /v1/sources/<source>/stream: each message is a record or an array of records as JSON; each is answered, in
 * order, with what POST would answer. A client that sends faster than records are committed is not read from.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RawData, WebSocket } from 'ws';
import type { IngestGate } from '../ingest-gate.ts';
import type { ServerState } from '../server-state.ts';
import { problemOfBody } from './ingest-routes.ts';
import { recordsOfJson } from './json-records.ts';
import type { HeldBytes } from './read-body.ts';
import { failures } from './answers.ts';
import { problemOf, sendProblem } from './problems.ts';
import { sendMessage } from './feed-routes.ts';

/** Messages of one client that may wait for their commit. */
const MAX_UNDER_WAY = 64;
const MAX_BYTES_UNDER_WAY = 4 * 1024 * 1024;

export function ingestSocket(app: FastifyInstance, state: ServerState): void {
  app.route<{ Params: { source: string } }>({
    method: 'GET',
    url: '/v1/sources/:source/stream',
    config: { action: 'ingest', object: 'source' },
    schema: {
      summary: 'Records into {source}, over a WebSocket',
      description:
        'Each message is a record or an array of records; each is answered, in order, with "seq", its number, and ' +
        'what POST .../records would answer.',
      response: { 101: { description: 'A WebSocket.', type: 'null' }, ...failures(426) },
    },
    handler: (_request, reply) =>
      sendProblem(reply.header('upgrade', 'websocket'), 426, {
        code: 'SEG839',
        message: 'this path takes a WebSocket',
        hint: 'Over plain HTTP records are taken by POST .../records.',
      }),
    wsHandler: (socket, request: FastifyRequest<{ Params: { source: string } }>) => {
      let gate: IngestGate;
      try {
        gate = state.gate(request.params.source);
      } catch (error) {
        const { problem } = problemOf(error);
        socket.send(JSON.stringify({ error: problem }));
        socket.close(1008, problem.code);
        return;
      }
      serve(socket, gate, state.bodies);
    },
  });
}

function serve(socket: WebSocket, gate: IngestGate, held: HeldBytes): void {
  let underWay = 0;
  let bytes = 0;
  let seq = 0;
  let answers: Promise<unknown> = Promise.resolve();
  socket.on('error', () => socket.terminate());
  socket.on('message', (data) => {
    const number = ++seq;
    const message = bytesOf(data);
    underWay++;
    bytes += message.length;
    if (underWay >= MAX_UNDER_WAY || bytes >= MAX_BYTES_UNDER_WAY) socket.pause();
    const done = take(gate, message, held);
    answers = answers
      .then(async () => {
        const sent = await sendMessage(socket, JSON.stringify({ seq: number, ...(await done) }));
        if (!sent) socket.terminate();
      })
      .finally(() => {
        underWay--;
        bytes -= message.length;
        if (underWay < MAX_UNDER_WAY / 2 && bytes < MAX_BYTES_UNDER_WAY) socket.resume();
      });
  });
}

async function take(gate: IngestGate, message: Buffer, held: HeldBytes): Promise<object> {
  try {
    held.take(message.length);
    try {
      return await gate.submit(recordsOfJson(message), 'websocket');
    } finally {
      held.give(message.length);
    }
  } catch (error) {
    return { error: (problemOfBody(error) ?? problemOf(error)).problem };
  }
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
