/** POST /v1/sources/<source>/records: one record, an array of them, or NDJSON without end. */
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readNdjson } from '../../connectors/formats/ndjson.ts';
import type { RawRecord } from '../../connectors/formats/raw-record.ts';
import { charactersOf } from '../ingest-gate.ts';
import type { GateAnswer, IngestGate } from '../ingest-gate.ts';
import type { ServerState } from '../server-state.ts';
import { answer as answerOf, failures, json, OF_DATABASE } from './answers.ts';
import { MAX_RECORD_BYTES, MAX_RECORDS, recordsOfJson } from './json-records.ts';
import { sendProblem } from './problems.ts';
import type { Problem } from './problems.ts';
import { BodiesHeld, BodyTooLarge, plainBody, withBody } from './read-body.ts';

/** Bodies that must be held whole (JSON) may be so long; NDJSON is read line by line and may be endless. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024;
/** Records of one NDJSON request that may be under way; its client is not read from meanwhile. */
const MAX_UNDER_WAY = 10_000;
const MAX_CHARACTERS_UNDER_WAY = 2 * 1024 * 1024;
/** Reasons told in one answer; all rejected records are in the dead-letter table. */
const MAX_ERRORS = 1000;

const JSON_TYPES = ['application/json'];
const NDJSON_TYPES = [
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
];

const NDJSON_SCHEMA = { type: 'string', description: 'A record a line.' };

/** What a request with records answers. */
export const TAKEN = {
  200: answerOf('All records are committed.', { $ref: 'Taken#' }),
  207: answerOf('Some records were rejected.', { $ref: 'Taken#' }),
  ...failures(...OF_DATABASE, 409, 413, 415, 429),
  422: answerOf('All records were rejected, or a model fails on one of them.', {
    anyOf: [{ $ref: 'Taken#' }, { $ref: 'Error#' }],
  }),
};

const SCHEMA = {
  summary: 'Records into {source}',
  description:
    'Content-Encoding: gzip is understood. NDJSON is committed as it comes, and may be of any length.',
  body: {
    content: {
      ...json({
        anyOf: [{ $ref: 'Record#' }, { type: 'array', items: { $ref: 'Record#' }, maxItems: MAX_RECORDS }],
      }),
      ...Object.fromEntries(NDJSON_TYPES.map((type) => [type, { schema: NDJSON_SCHEMA }])),
    },
  },
  response: TAKEN,
};

export function ingestRoutes(app: FastifyInstance, state: ServerState): void {
  app.post<{ Params: { source: string } }>(
    '/v1/sources/:source/records',
    { config: { action: 'ingest', object: 'source' }, schema: SCHEMA },
    async (request, reply) => {
      const gate = state.gate(request.params.source);
      const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
      const isLines = NDJSON_TYPES.includes(type);
      if (!isLines && !JSON_TYPES.includes(type)) {
        return sendProblem(reply, 415, {
          code: 'SEG830',
          message: `cannot read records of type "${type}"`,
          hint: 'Send application/json (a record or an array) or application/x-ndjson.',
        });
      }
      const body = plainBody(request.raw);
      if (body === null) {
        return sendProblem(reply, 415, {
          code: 'SEG830',
          message: `cannot read the encoding "${request.headers['content-encoding']}"`,
          hint: 'Send the body as it is, or with Content-Encoding: gzip.',
        });
      }
      if (gate.isFull(1)) return tooMany(state, gate, reply);
      if (isLines) return answer(reply, await takeLines(gate, body));
      return takeJson(state, reply, body, (bytes) => ({
        gate,
        records: recordsOfJson(bytes),
        origin: 'http',
      }));
    },
  );
}

/** Records of a body, and where they go. */
export interface Sent {
  readonly gate: IngestGate;
  readonly records: readonly RawRecord[];
  readonly origin: string;
}

/** Takes in a body that is held whole. @param read what it throws of its own is thrown on */
export async function takeJson(
  state: ServerState,
  reply: FastifyReply,
  body: Readable,
  read: (bytes: Buffer) => Sent,
): Promise<FastifyReply> {
  try {
    return await withBody(body, MAX_JSON_BYTES, state.bodies, read, async ({ gate, records, origin }) => {
      if (gate.isFull(records.length)) return tooMany(state, gate, reply);
      return answer(reply, await gate.submit(records, origin));
    });
  } catch (error) {
    const { status, problem } = problemOfBody(error) ?? raise(error);
    if (status !== 400) void reply.header('connection', 'close');
    if (status === 429) void reply.header('retry-after', '1');
    return sendProblem(reply, status, problem);
  }
}

function raise(error: unknown): never {
  throw error;
}

/** What is wrong with a body; undefined for an error that is not about it. */
export function problemOfBody(error: unknown): { status: number; problem: Problem } | undefined {
  if (error instanceof BodyTooLarge) {
    const hint = 'Send several requests, or NDJSON, which may be of any length.';
    return { status: 413, problem: { code: 'SEG831', message: error.message, hint } };
  }
  if (error instanceof BodiesHeld) {
    const message = 'the bodies of other requests fill the memory that is set aside for them';
    const hint = 'Nothing of this request was taken in; send it again.';
    return { status: 429, problem: { code: 'SEG833', message, hint } };
  }
  const gzip = (error as NodeJS.ErrnoException).code?.startsWith('Z_') === true;
  if (error instanceof SyntaxError || gzip) {
    const message = `the body cannot be read: ${(error as Error).message}`;
    return { status: 400, problem: { code: 'SEG832', message } };
  }
  return undefined;
}

function tooMany(state: ServerState, gate: IngestGate, reply: FastifyReply): FastifyReply {
  const { source_name, name } = gate.source;
  state.metrics.refused.inc({ source: `${source_name}.${name}` });
  void reply.header('retry-after', String(gate.retryAfter)).header('connection', 'close');
  return sendProblem(reply, 429, {
    code: 'SEG833',
    message: `${gate.pending} records wait already`,
    hint: 'Nothing of this request was taken in; send it again after the time in Retry-After.',
  });
}

interface LinesAnswer {
  accepted: number;
  rejected: number;
  errors: { line: number; reason: string }[];
}

/** Records are committed as they come; a client that breaks off keeps what was. */
async function takeLines(gate: IngestGate, body: AsyncIterable<Uint8Array>): Promise<LinesAnswer> {
  const total: LinesAnswer = { accepted: 0, rejected: 0, errors: [] };
  const underWay: { records: readonly RawRecord[]; done: Promise<GateAnswer> }[] = [];
  let [count, characters] = [0, 0];
  const settle = async (): Promise<void> => {
    const { records, done } = underWay.shift()!;
    count -= records.length;
    characters -= charactersOf(records);
    const { accepted, rejected, errors } = await done;
    total.accepted += accepted;
    total.rejected += rejected;
    for (const { index, reason } of errors) {
      if (total.errors.length < MAX_ERRORS) total.errors.push({ line: records[index]!.line, reason });
    }
  };
  for await (const records of readNdjson(body, { maxLineBytes: MAX_RECORD_BYTES })) {
    const done = gate.submit(records, 'http');
    // Failures are met when its turn to be settled comes.
    done.catch(() => {});
    underWay.push({ records, done });
    count += records.length;
    characters += charactersOf(records);
    while (count > MAX_UNDER_WAY || characters > MAX_CHARACTERS_UNDER_WAY) await settle();
  }
  while (underWay.length > 0) await settle();
  return total;
}

/** 200: all are in; 207: some are not; 422: none is. */
function answer(
  reply: FastifyReply,
  taken: { accepted: number; rejected: number; errors: readonly object[] },
): FastifyReply {
  const status = taken.rejected === 0 ? 200 : taken.accepted > 0 ? 207 : 422;
  return reply.code(status).send({ ...taken, errors: taken.errors.slice(0, MAX_ERRORS) });
}

export type IngestRequest = FastifyRequest<{ Params: { source: string } }>;
