/** The HTTP interface of one project as an OpenAPI 3.1 document: its sources with their schemas, its models with their columns. */
import type { Project } from '../project/load.ts';
import type { SourceNode } from '../project/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';

type Json = { [name: string]: unknown };

export function openApi(
  project: Project,
  deployed: ReadonlyMap<string, DeployedNode>,
  version: string,
): Json {
  const paths: Json = { ...fixedPaths() };
  for (const source of Object.values(project.manifest.sources)) {
    if (!source.config.existing && source.connector === null) Object.assign(paths, sourcePaths(source));
  }
  const schemas: Json = {};
  for (const node of deployed.values()) {
    if (node.columns.length === 0) continue;
    schemas[node.uniqueId] = rowSchema(node);
    Object.assign(paths, modelPaths(node));
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `${project.name}, served by seg`,
      version,
      description: 'Records in, views and their changes out.',
    },
    paths,
    components: {
      schemas: {
        ...schemas,
        ...{ Error: ERROR, Taken: TAKEN, Rejected: REJECTED, Replayed: REPLAYED, Dropped: DROPPED },
      },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
    security: [{}, { bearer: [] }],
  };
}

const ERROR: Json = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: { code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' } },
    },
  },
};

const TAKEN: Json = {
  type: 'object',
  properties: {
    accepted: {
      type: 'integer',
      description: 'Records that are committed, by this request or an earlier one with their key.',
    },
    rejected: { type: 'integer', description: 'Records that went to the dead-letter table.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { index: { type: 'integer' }, line: { type: 'integer' }, reason: { type: 'string' } },
      },
    },
  },
};

const REJECTED: Json = {
  type: 'object',
  properties: {
    count: { type: 'integer', description: 'How many there are of those asked for, whatever the limit.' },
    records: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          rejected_at: { type: 'string', format: 'date-time' },
          origin: { type: ['string', 'null'] },
          line: { type: ['integer', 'null'] },
          reason: { type: ['string', 'null'] },
          payload: { type: ['string', 'null'], description: 'As it came, up to 1 MiB.' },
        },
      },
    },
  },
};

const REPLAYED: Json = {
  type: 'object',
  properties: {
    accepted: { type: 'integer' },
    duplicate: { type: 'integer', description: 'There already under their key.' },
    rejected: { type: 'integer', description: 'Refused again.' },
  },
};

const DROPPED: Json = { type: 'object', properties: { dropped: { type: 'integer' } } };

function sourcePaths(source: SourceNode): Json {
  const name = `${source.source_name}.${source.name}`;
  const record = isSchema(source.json_schema) ? source.json_schema : { type: 'object' };
  const json = { schema: { oneOf: [record, { type: 'array', items: record }] } };
  return {
    ...rejectedPaths(name),
    [`/v1/sources/${name}/records`]: {
      post: {
        summary: `Records into ${name}`,
        description: source.description,
        requestBody: {
          required: true,
          content: { 'application/json': json, 'application/x-ndjson': { schema: { type: 'string' } } },
        },
        responses: {
          200: content('All records are committed.', '#/components/schemas/Taken'),
          207: content('Some records were rejected.', '#/components/schemas/Taken'),
          422: content('All records were rejected.', '#/components/schemas/Taken'),
          413: content('The body is too large.'),
          415: content('The body is of a type that cannot be read.'),
          429: content('Too many records wait; try again after Retry-After seconds.'),
        },
      },
    },
  };
}

function rejectedPaths(name: string): Json {
  const which = [
    parameter('since', 'an instant: rejected then or later'),
    parameter('until', 'an instant: rejected before'),
    parameter('reason', 'a part of the reason'),
    parameter('origin', 'where they came from: a file, stdin, http'),
    parameter('limit', 'at most so many, the oldest first'),
  ];
  const operation = (summary: string, ok: string, schema: string, parameters = which): Json => ({
    summary,
    parameters,
    responses: {
      200: content(ok, `#/components/schemas/${schema}`),
      400: content('A parameter that is not understood.'),
      409: content('The source is not deployed, or filled by others.'),
    },
  });
  return {
    [`/v1/sources/${name}/rejected`]: {
      get: operation(
        `Records that ${name} has refused`,
        'The oldest of them, and how many there are.',
        'Rejected',
      ),
      delete: operation(`Drops records that ${name} has refused`, 'They are gone.', 'Dropped'),
    },
    [`/v1/sources/${name}/rejected/replay`]: {
      post: operation(
        `Ingests records again that ${name} has refused`,
        'What is accepted, or is there already, has left them; what is refused is still among them.',
        'Replayed',
        [...which, parameter('header', 'names of fields, separated by commas: the records are lines of CSV')],
      ),
    },
  };
}

function modelPaths(node: DeployedNode): Json {
  const row = { $ref: `#/components/schemas/${node.uniqueId.replaceAll('/', '~1')}` };
  const filters = node.columns.map(({ name, type }) =>
    parameter(name, `equals; also ${name}.gt, .in ... (${type})`),
  );
  const page = {
    type: 'object',
    properties: {
      position: { type: 'string' },
      rows: { type: 'array', items: row },
      next: { type: 'string' },
    },
  };
  const paths: Json = {
    [`/v1/models/${node.name}`]: {
      get: {
        summary: `Rows of ${node.name}`,
        parameters: [
          parameter('limit', 'at most 10000'),
          parameter('after', 'the "next" of the page before'),
          ...filters,
        ],
        responses: {
          200: { description: 'A page of rows.', content: { 'application/json': { schema: page } } },
        },
      },
    },
  };
  if (node.key.length > 0) {
    const path = `/v1/models/${node.name}/${node.key.map((name) => `{${name}}`).join('/')}`;
    paths[path] = {
      get: {
        summary: `One row of ${node.name}`,
        parameters: node.key.map((name) => ({
          name,
          in: 'path',
          required: true,
          schema: { type: 'string' },
        })),
        responses: {
          200: { description: 'The row.', content: { 'application/json': { schema: row } } },
          404: content('There is no such row.'),
        },
      },
    };
  }
  if (node.kind === 'materialized_view') {
    paths[`/v1/changes/${node.name}`] = {
      get: {
        summary: `Changes of ${node.name}: Server-Sent Events, WebSocket, or long-poll`,
        parameters: [
          parameter('from', 'a position to go on from; Last-Event-ID does the same'),
          parameter('snapshot', '"false": begin with the changes'),
          parameter('columns', 'names separated by commas'),
          parameter('wait', 'long-poll: seconds, at most 60'),
        ],
        responses: {
          200: { description: 'Changes.', content: { 'text/event-stream': {}, 'application/json': {} } },
          410: content('The changes after that position are not kept any more: begin with a snapshot.'),
        },
      },
    };
  }
  return paths;
}

function fixedPaths(): Json {
  const get = (summary: string) => ({ get: { summary, responses: { 200: { description: 'OK' } } } });
  return {
    '/healthz': get('Whether the process lives'),
    '/readyz': get('Whether it can take records and answer reads'),
    '/metrics': get("Figures in Prometheus' text format"),
    '/v1/models': get('What is deployed'),
  };
}

function rowSchema(node: DeployedNode): Json {
  return {
    type: 'object',
    properties: Object.fromEntries(
      node.columns.map(({ name, type }) => [name, { ...jsonType(type), description: type }]),
    ),
  };
}

function jsonType(type: string): Json {
  if (/^(smallint|integer|bigint)$/.test(type)) return { type: ['integer', 'null'] };
  if (/^(real|double precision|numeric)/.test(type)) return { type: ['number', 'null'] };
  if (type === 'boolean') return { type: ['boolean', 'null'] };
  if (type.endsWith('[]')) return { type: ['array', 'null'] };
  if (/^jsonb?$/.test(type)) return {};
  if (type.startsWith('timestamp')) return { type: ['string', 'null'], format: 'date-time' };
  return { type: ['string', 'null'] };
}

function isSchema(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parameter(name: string, description: string): Json {
  return { name, in: 'query', required: false, description, schema: { type: 'string' } };
}

function content(description: string, ref = '#/components/schemas/Error'): Json {
  return { description, content: { 'application/json': { schema: { $ref: ref } } } };
}
