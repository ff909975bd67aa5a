import type { FastifyInstance, FastifyRequest } from 'fastify';
import { segError } from '../../diagnostics/seg-error.ts';
import { badRequest, filterOf, readPage, readRow } from '../read-model.ts';
import type { ServerState } from '../server-state.ts';
import { answer, failures, object, OF_DATABASE } from './answers.ts';
import { Parameters } from './parameters.ts';

const DEFAULT_LIMIT = 100;

const PAGE = new Parameters({
  limit: {
    type: 'integer',
    description: 'The most rows.',
    minimum: 1,
    maximum: 10_000,
    default: DEFAULT_LIMIT,
  },
  after: { type: 'string', description: 'The "next" of the page before.' },
});

const text = { type: 'string' };

const DEPLOYED = object({
  name: text,
  unique_id: text,
  kind: text,
  relation: text,
  key: { type: 'array', items: text },
  columns: { type: 'array', items: object({ name: text, type: text }) },
  feed: { type: 'boolean', description: 'Whether its changes can be followed.' },
});

/** GET /v1/models, /v1/models/<model>?filters and /v1/models/<model>/<key>[/<key>...]. */
export function modelRoutes(app: FastifyInstance, state: ServerState): void {
  const db = state.shared.as('read');
  const config = { action: 'read', object: 'model' } as const;

  const listSchema = {
    summary: 'What is deployed',
    response: {
      200: answer('Its columns and keys.', object({ models: { type: 'array', items: DEPLOYED } })),
      ...failures(...OF_DATABASE),
    },
  };
  app.get('/v1/models', { config: { action: 'read' }, schema: listSchema }, async () => ({
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

  const pageSchema = {
    summary: 'Rows of {model}, in the order of its key',
    querystring: PAGE.schema,
    response: {
      200: answer(
        'A page of rows, and the state that they are of.',
        object(
          {
            position: { type: 'string', description: 'A feed read from here on misses nothing.' },
            rows: { type: 'array', items: { $ref: 'Row#' } },
            next: { type: 'string', description: 'Where the next page begins; absent at the end.' },
          },
          'next',
        ),
      ),
      ...failures(...OF_DATABASE),
    },
  };
  app.get<{ Params: { model: string } }>(
    '/v1/models/:model',
    { config, schema: pageSchema },
    async (request, reply) => {
      const node = await state.relation(request.params.model);
      const page = await readPage(db, node, pageRequest(request), state.stateSchema);
      const next = page.next === undefined ? '' : `,"next":${JSON.stringify(page.next)}`;
      return reply
        .type('application/json')
        .send(`{"position":${JSON.stringify(page.position)},"rows":[${page.rows.join(',')}]${next}}`);
    },
  );

  const rowSchema = {
    summary: 'The row of {model} with this key',
    response: { 200: answer('The row.', { $ref: 'Row#' }), ...failures(...OF_DATABASE) },
  };
  app.get<{ Params: { model: string; '*': string } }>(
    '/v1/models/:model/*',
    { config, schema: rowSchema },
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
  const { values, others } = PAGE.readSome(request);
  const filters = others.map(([name, value]) => ({ ...filterOf(name), value }));
  return { limit: values.limit ?? DEFAULT_LIMIT, after: values.after, filters };
}
