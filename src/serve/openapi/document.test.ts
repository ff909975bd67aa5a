/** What the document makes of odd names, nested records and schemas with references of their own. */
import { describe, expect, test } from 'vitest';
import { testSource as aSource } from '../../connectors/test-source.ts';
import type { Project } from '../../project/load.ts';
import type { DeployedNode } from '../../state/nodes.ts';
import { documentOf } from './document.ts';
import type { OpenApi } from './document.ts';
import { columnSchema } from './value-schema.ts';

/** One that nobody else fills. */
const testSource = (...given: Parameters<typeof aSource>) => ({ ...aSource(...given), connector: null });

const REF = '#/components/schemas/';
const answer = (name: string) => ({ content: { 'application/json': { schema: { $ref: `${REF}${name}` } } } });
const GENERAL: OpenApi = {
  info: {},
  components: { schemas: { Error: {}, Row: {}, Columns: {}, Record: {} } },
  paths: {
    '/healthz': { get: {} },
    '/v1/sources/{source}/records': { post: { requestBody: answer('Record') } },
    '/v1/models/{model}': {
      get: {
        summary: 'Rows of {model}',
        parameters: [
          { name: 'limit', in: 'query' },
          { name: 'model', in: 'path' },
        ],
      },
    },
    '/v1/models/{model}/{*}': { get: { responses: { 200: answer('Row') } } },
    '/v1/changes/{model}': { get: { responses: { 200: answer('Columns') } } },
  },
};

const node = (uniqueId: string, columns: Record<string, string>, more: Partial<DeployedNode> = {}) =>
  ({
    ...{ uniqueId, name: uniqueId.split('.').at(-1), kind: 'view', key: [] },
    columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
    ...more,
  }) as DeployedNode;

function document(nodes: readonly DeployedNode[], sources: readonly object[] = []): OpenApi {
  const project = { name: 'p', manifest: { sources: Object.fromEntries(sources.entries()) } };
  return documentOf(
    GENERAL,
    project as unknown as Project,
    new Map(nodes.map((each) => [each.uniqueId, each])),
  );
}

describe('models', () => {
  test('have paths by what they can: rows, rows by key, changes', () => {
    const { paths } = document([
      node('model.p.a', { id: 'integer', day: 'date' }, { key: ['id', 'day'], kind: 'materialized_view' }),
      node('model.p.b', { n: 'bigint' }),
      node('source.p.s.a', { n: 'bigint' }),
    ]);
    expect(Object.keys(paths)).toEqual([
      '/healthz',
      '/v1/models/a',
      '/v1/models/b',
      '/v1/models/source.p.s.a',
      '/v1/models/a/{id}/{day}',
      '/v1/changes/a',
    ]);
    expect(paths['/v1/models/a/{id}/{day}']).toMatchObject({
      get: {
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'integer', maximum: 2147483647 } },
          { name: 'day', in: 'path', schema: { type: 'string', format: 'date' } },
        ],
        responses: { 200: answer('model.p.a') },
      },
    });
    expect(paths['/v1/changes/a']).toMatchObject({
      get: { responses: { 200: answer('model.p.a.columns') } },
    });
  });

  test('take filters by the types of their columns, under names that are told apart', () => {
    const columns = {
      limit: 'integer',
      'x.gt': 'text',
      raw: 'json',
      doc: 'jsonb',
      tags: 'text[]',
      area: 'polygon',
    };
    const { paths } = document([node('model.p.a', columns)]);
    const { parameters, summary } = paths['/v1/models/a']!['get']!;
    expect(summary).toBe('Rows of a');
    const names = parameters!.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => /^(limit|x|raw)\b/.test(name))).toEqual([
      ...['limit.eq', 'limit.ne', 'limit.gt', 'limit.gte', 'limit.lt', 'limit.lte', 'limit.in', 'limit.is'],
      ...['x.gt.eq', 'x.gt.ne', 'x.gt.gt', 'x.gt.gte', 'x.gt.lt', 'x.gt.lte', 'x.gt.in', 'x.gt.is'],
      ...['raw.is', 'limit'],
    ]);
    expect(names).not.toContain('doc.in');
    expect(names).not.toContain('tags.in');
    expect(names).not.toContain('area.gt');
    expect(parameters).toContainEqual(
      expect.objectContaining({ name: 'doc', content: { 'application/json': { schema: {} } } }),
    );
  });

  test('with any name are addressed by URLs and named as components may be', () => {
    const { paths, components } = document([
      node('model.p.größe {m²}', { 'id/ü': 'uuid' }, { key: ['id/ü'], name: 'größe {m²}' }),
    ]);
    const path = `/v1/models/${encodeURIComponent('größe {m²}')}/{id_x2f__xfc_}`;
    expect(paths).toHaveProperty([path, 'get', 'parameters', '0', 'name'], 'id_x2f__xfc_');
    for (const name of Object.keys(components.schemas)) expect(name).toMatch(/^[\w.-]+$/);
  });

  test('rows hold what PostgreSQL writes of a type as JSON', () => {
    expect(columnSchema('numeric(10,2)')).toMatchObject({
      anyOf: [{ type: 'number' }, { enum: ['NaN', 'Infinity', '-Infinity', null] }],
    });
    expect(columnSchema('timestamp with time zone')).toMatchObject({
      anyOf: [{ type: 'string', format: 'date-time' }, { enum: ['infinity', '-infinity', null] }],
    });
    expect(columnSchema('timestamp without time zone')).toMatchObject({ type: ['string', 'null'] });
    expect(columnSchema('integer[]')).toMatchObject({ type: ['array', 'null'] });
    // Whatever a domain, a composite or a type of an extension may be.
    expect(columnSchema('shop.money_amount')).toEqual({ description: 'shop.money_amount' });
  });
});

describe('sources', () => {
  test('take records of the shape that their paths and types have', () => {
    const source = testSource(
      'orders',
      [
        { name: 'position', data_type: 'bigint', generated: 'position' },
        { name: 'id', data_type: 'uuid', path: 'event.id' },
        { name: 'name', data_type: 'varchar(5)', path: 'customer.name' },
        { name: 'first', data_type: 'integer', path: 'items[0].n' },
        { name: 'all', data_type: 'jsonb', path: '$' },
        { name: 'tags', data_type: 'smallint[]' },
      ],
      { key: ['id'] },
    );
    const { components, paths } = document([], [source]);
    expect(paths).toHaveProperty([`/v1/sources/${source.source_name}.orders/records`, 'post']);
    const nullable = { anyOf: [{ type: 'integer', minimum: -32768, maximum: 32767 }, { type: 'null' }] };
    expect(components.schemas[`${source.unique_id}.record`]).toEqual({
      type: 'object',
      properties: {
        event: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } }, required: ['id'] },
        customer: { properties: { name: { type: ['string', 'number', 'boolean', 'null'], maxLength: 5 } } },
        items: { properties: {} },
        tags: { type: ['array', 'null'], items: nullable },
      },
      required: ['event'],
    });
  });

  test('keep a schema of their own, whose references go on leading to its parts', () => {
    const own = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      $id: 'https://shop.example/order.json',
      properties: { id: { $ref: '#/definitions/id' }, part: { $ref: '#' }, $ref: { type: 'string' } },
      definitions: { id: { type: 'string' } },
    };
    const source = testSource('orders', [{ name: 'id', data_type: 'text' }], { json_schema: own });
    const { schemas } = document([], [source]).components;
    const place = `${REF}${source.unique_id}.json_schema`;
    expect(schemas[`${source.unique_id}.json_schema`]).toEqual({
      properties: {
        id: { $ref: `${place}/definitions/id` },
        part: { $ref: place },
        $ref: { type: 'string' },
      },
      definitions: own.definitions,
    });
    expect(schemas[`${source.unique_id}.record`]).toMatchObject({
      allOf: [{ $ref: place }, { type: 'object' }],
    });
  });

  test('that others fill take no records', () => {
    const source = testSource('orders', [{ name: 'id', data_type: 'text' }]);
    const existing = { ...source, config: { ...source.config, existing: true } };
    expect(Object.keys(document([], [existing]).paths)).toEqual(['/healthz']);
  });
});
