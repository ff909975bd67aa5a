/**
 * POST /v1/webhooks/segment/<source>: what Segment's webhook destination sends, a record or `{"batch": [...]}`. The header
 * `x-signature` is the hexadecimal HMAC-SHA1 of the body under the shared secret, which SEG_SEGMENT_SECRET holds
 * (https://segment.com/docs/connections/destinations/catalog/webhooks/). The signature stands in for a token.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { memberText } from '../../json/exact-json.ts';
import type { RawRecord } from '../../connectors/formats/raw-record.ts';
import type { ServerState } from '../server-state.ts';
import { failures, json } from './answers.ts';
import { TAKEN, takeJson } from './ingest-routes.ts';
import { recordsOfJson } from './json-records.ts';
import { sendProblem } from './problems.ts';
import { plainBody } from './read-body.ts';

const record = { $ref: 'Record#' };

const SCHEMA = {
  summary: "Records into {source}, from Segment's webhook destination",
  headers: {
    type: 'object',
    required: ['x-signature'],
    properties: {
      'x-signature': {
        type: 'string',
        pattern: '^[0-9a-fA-F]{40}$',
        description: 'The HMAC-SHA1 of the body under SEG_SEGMENT_SECRET; stands in for a token.',
      },
    },
  },
  body: {
    content: json({
      anyOf: [
        record,
        { type: 'array', items: record },
        { type: 'object', properties: { batch: { type: 'array', items: record } }, required: ['batch'] },
      ],
    }),
  },
  response: { ...TAKEN, ...failures(401) },
};

export function segmentWebhook(app: FastifyInstance, state: ServerState, env: NodeJS.ProcessEnv): void {
  const secret = env['SEG_SEGMENT_SECRET'];
  app.post<{ Params: { source: string } }>(
    '/v1/webhooks/segment/:source',
    { schema: SCHEMA },
    async (request, reply) => {
      if (secret === undefined || secret === '') {
        return sendProblem(reply, 403, {
          code: 'SEG837',
          message: 'webhooks of Segment are not set up',
          hint: 'Set SEG_SEGMENT_SECRET to the shared secret of the webhook destination.',
        });
      }
      const body = plainBody(request.raw);
      if (body === null)
        return sendProblem(reply, 415, { code: 'SEG830', message: 'cannot read the encoding' });
      try {
        return await takeJson(state, reply, body, (bytes) => {
          // Before anything of the project is told, its sources' names too.
          if (!isSigned(bytes, request.headers['x-signature'], secret)) throw new NotSigned();
          const gate = state.gate(request.params.source);
          return { gate, records: recordsOfWebhook(bytes), origin: 'segment' };
        });
      } catch (error) {
        if (!(error instanceof NotSigned)) throw error;
        const problem = { code: 'SEG838', message: 'the signature does not fit the body' };
        return sendProblem(reply, 401, problem);
      }
    },
  );
}

class NotSigned extends Error {}

function isSigned(body: Buffer, signature: string | string[] | undefined, secret: string): boolean {
  if (typeof signature !== 'string' || !/^[0-9a-f]{40}$/i.test(signature)) return false;
  const expected = createHmac('sha1', secret).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}

/** Records of a batch are taken as the bytes they were sent as: no digit changes, and each is judged by itself. */
function recordsOfWebhook(bytes: Buffer): RawRecord[] {
  // A batch is one object, as long as a body may be.
  const records = recordsOfJson(bytes, Infinity);
  const [only] = records;
  if (records.length !== 1 || only?.text.startsWith('{') !== true) return recordsOfJson(bytes);
  const whole = only.problem === undefined ? only.text : Buffer.from(bytes).toString('latin1');
  const batch = memberText(whole.slice(whole.indexOf('{')).trimEnd(), 'batch');
  if (batch?.startsWith('[') !== true) return recordsOfJson(bytes);
  return recordsOfJson(Buffer.from(batch, only.problem === undefined ? 'utf8' : 'latin1'));
}
