/**
 * /v1/sources/<source>/rejected: GET shows the records that a source has refused, POST .../replay ingests them again, DELETE
 * drops them; `since`, `until`, `reason`, `origin` and `limit` say which.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { dropRejected, readRejected, replayRejected, summarizeRejected } from '../../connectors/rejected.ts';
import type { RejectedFilter } from '../../connectors/rejected.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { stringifyJson } from '../../json/exact-json.ts';
import type { ServerState } from '../server-state.ts';
import { answer, failures, object, OF_DATABASE } from './answers.ts';
import { Parameters } from './parameters.ts';

/** Records in one answer; all of them hold a payload of up to 1 MB. */
const SHOWN = 100;
const MOST = 1000;

const FILTERS = {
  since: { type: 'string', format: 'date-time', description: 'An instant: rejected then or later.' },
  until: { type: 'string', format: 'date-time', description: 'An instant: rejected before.' },
  reason: { type: 'string', description: 'A part of the reason, in whatever case.' },
  origin: { type: 'string', description: "Where they came from: a file's name, stdin, http." },
  limit: {
    type: 'integer',
    description: 'The most of them, the oldest first.',
    minimum: 0,
    maximum: 999_999_999,
  },
} as const;
const FILTERED = new Parameters(FILTERS);
const REPLAYED = new Parameters({
  ...FILTERS,
  header: {
    type: 'string',
    description: 'Names of fields, separated by commas, of records that are lines of CSV.',
  },
});

const count = { type: 'integer', minimum: 0 };
const optionalText = { type: ['string', 'null'] };

const SHOWN_SCHEMA = object({
  count: { ...count, description: 'How many there are of those asked for, whatever the limit.' },
  records: {
    type: 'array',
    items: object({
      rejected_at: { type: 'string', format: 'date-time' },
      origin: optionalText,
      line: { type: ['integer', 'null'] },
      reason: optionalText,
      payload: { ...optionalText, description: 'As it came, up to 1 MiB.' },
    }),
  },
});
const REPLAYED_SCHEMA = object({
  accepted: count,
  duplicate: { ...count, description: 'There already under their key.' },
  rejected: { ...count, description: 'Refused again, and still there.' },
});

type Asked = FastifyRequest<{ Params: { source: string } }>;

export function rejectedRoutes(app: FastifyInstance, state: ServerState): void {
  const config = { action: 'ingest', object: 'source' } as const;
  const path = '/v1/sources/:source/rejected';

  const schemaOf = (summary: string, parameters: Parameters<typeof FILTERS>, ok: object) => ({
    summary,
    querystring: parameters.schema,
    response: { 200: ok, ...failures(...OF_DATABASE, 409) },
  });

  const shown = schemaOf(
    'Records that {source} has refused',
    FILTERED,
    answer('The oldest of them, and how many there are.', SHOWN_SCHEMA),
  );
  app.get(path, { config, schema: shown }, async (request: Asked, reply) => {
    const { db, source, filter } = work(request, FILTERED.read(request));
    const limit = Math.min(filter.limit ?? SHOWN, MOST);
    const records = await readRejected(db, source, { ...filter, limit });
    const summary = await summarizeRejected(db, source, filter);
    return reply.type('application/json').send(stringifyJson({ count: summary?.count ?? 0, records }));
  });

  const replay = schemaOf(
    'Ingests records again that {source} has refused',
    REPLAYED,
    answer('What is accepted, or is there already, has left them.', REPLAYED_SCHEMA),
  );
  app.post(`${path}/replay`, { config, schema: replay }, async (request: Asked, reply) => {
    const { header, ...asked } = REPLAYED.read(request);
    const { db, source, filter } = work(request, asked);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const replayed = await replayRejected(db, source, filter, {
      header: header?.split(','),
      signal: gone.signal,
    });
    const label = `${source.source_name}.${source.name}`;
    state.metrics.records.inc({ source: label, outcome: 'accepted' }, replayed.accepted);
    state.metrics.records.inc({ source: label, outcome: 'duplicate' }, replayed.duplicate);
    return reply.send(replayed);
  });

  const drop = schemaOf(
    'Drops records that {source} has refused',
    FILTERED,
    answer('They are gone.', object({ dropped: count })),
  );
  app.delete(path, { config, schema: drop }, async (request: Asked, reply) => {
    const { db, source, filter } = work(request, FILTERED.read(request));
    return reply.send({ dropped: await dropRejected(db, source, filter) });
  });

  /** @throws SegError SEG825, SEG525 */
  function work(request: Asked, filter: RejectedFilter) {
    const source = state.source(request.params.source);
    if (state.takesElsewhere) {
      throw segError(
        'SEG525',
        'this server works on a copy: the rejected records are in the streaming engine',
        {
          hint: 'Read them there, and send the records again from where they came.',
        },
      );
    }
    return { db: state.shared.as('ingest'), source, filter };
  }
}
