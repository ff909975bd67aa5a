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
import { parametersOf } from './parameters.ts';

/** Records in one answer; all of them hold a payload of up to 1 MB. */
const SHOWN = 100;
const MOST = 1000;

const FILTERS = ['since', 'until', 'reason', 'origin', 'limit'] as const;

type Asked = FastifyRequest<{ Params: { source: string } }>;

export function rejectedRoutes(app: FastifyInstance, state: ServerState): void {
  const config = { action: 'ingest', object: 'source' } as const;
  const path = '/v1/sources/:source/rejected';

  app.get(path, { config }, async (request: Asked, reply) => {
    const { db, source, filter } = work(request);
    const limit = Math.min(filter.limit ?? SHOWN, MOST);
    const records = await readRejected(db, source, { ...filter, limit });
    const summary = await summarizeRejected(db, source, filter);
    return reply.type('application/json').send(stringifyJson({ count: summary?.count ?? 0, records }));
  });

  app.post(`${path}/replay`, { config }, async (request: Asked, reply) => {
    const { db, source, filter, header } = work(request, ['header']);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const replayed = await replayRejected(db, source, filter, { header, signal: gone.signal });
    const label = `${source.source_name}.${source.name}`;
    state.metrics.records.inc({ source: label, outcome: 'accepted' }, replayed.accepted);
    state.metrics.records.inc({ source: label, outcome: 'duplicate' }, replayed.duplicate);
    return reply.send(replayed);
  });

  app.delete(path, { config }, async (request: Asked, reply) => {
    const { db, source, filter } = work(request);
    return reply.send({ dropped: await dropRejected(db, source, filter) });
  });

  /** @throws SegError SEG825, SEG826, SEG525 */
  function work(request: Asked, more: readonly 'header'[] = []) {
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
    const { since, until, reason, origin, limit, header } = parametersOf(request, [...FILTERS, ...more]);
    if (limit !== undefined && !/^\d{1,9}$/.test(limit)) {
      throw segError('SEG826', `wrong limit "${limit}"`, { hint: 'It is a number.' });
    }
    const filter: RejectedFilter = {
      ...{ since, until, reason, origin },
      limit: limit === undefined ? undefined : Number(limit),
    };
    return { db: state.shared.as('ingest'), source, filter, header: header?.split(',') };
  }
}
