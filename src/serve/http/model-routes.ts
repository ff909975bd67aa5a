import type { FastifyInstance, FastifyRequest } from 'fastify';
import { segError } from '../../diagnostics/seg-error.ts';
import { badRequest, readPage, readRow } from '../read-model.ts';
import type { Filter } from '../read-model.ts';
import type { ServerState } from '../server-state.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 10_000;

/** GET /v1/models, /v1/models/<model>?filters and /v1/models/<model>/<key>[/<key>...]. */
export function modelRoutes(app: FastifyInstance, state: ServerState): void {
  const db = state.shared.as('read');
  const config = { action: 'read', object: 'model' } as const;

  app.get('/v1/models', { config: { action: 'read' } }, async () => ({
    models: [...(await state.deployed()).values()].map((node) => ({
      name: node.name,
      unique_id: node.uniqueId,
      kind: node.kind,
      relation: `${node.schema}.${node.relation}`,
      key: node.key,
      columns: node.columns.map(({ name, type }) => ({ name, type })),
      feed: node.kind === 'materialized_view',
    })),
  }));

  app.get<{ Params: { model: string } }>('/v1/models/:model', { config }, async (request, reply) => {
    const node = await state.relation(request.params.model);
    const page = await readPage(db, node, pageRequest(request), state.stateSchema);
    const next = page.next === undefined ? '' : `,"next":${JSON.stringify(page.next)}`;
    return reply
      .type('application/json')
      .send(`{"position":${JSON.stringify(page.position)},"rows":[${page.rows.join(',')}]${next}}`);
  });

  app.get<{ Params: { model: string; '*': string } }>(
    '/v1/models/:model/*',
    { config },
    async (request, reply) => {
      const node = await state.relation(request.params.model);
      const key = keyOf(request.raw.url!);
      const row = await readRow(db, node, key);
      if (row === undefined) {
        throw segError('SEG827', `${node.label} has no row with the key ${key.join(', ')}`, { exitCode: 1 });
      }
      return reply.type('application/json').send(row);
    },
  );
}

/** From the URL as it came: a slash within a value is %2F there. */
function keyOf(url: string): string[] {
  const parts = url.split('?')[0]!.split('/').slice(4);
  try {
    return parts.map(decodeURIComponent);
  } catch {
    throw badRequest('the key in the path is not URL-encoded', 'Write a percent sign as %25.');
  }
}

function pageRequest(request: FastifyRequest) {
  const query = new URLSearchParams(request.raw.url!.split('?')[1] ?? '');
  const limit = Number(query.get('limit') ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw badRequest(`wrong limit "${query.get('limit')}"`, `It takes a number from 1 to ${MAX_LIMIT}.`);
  }
  const filters: Filter[] = [];
  for (const [name, value] of query) {
    if (name === 'limit' || name === 'after') continue;
    const [, column = name, comparison = 'eq'] = /^(.+)\.(eq|ne|gt|gte|lt|lte|in|is)$/.exec(name) ?? [];
    filters.push({ column, comparison, value });
  }
  return { limit, after: query.get('after') ?? undefined, filters };
}
