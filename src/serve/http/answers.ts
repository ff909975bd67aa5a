/** What routes answer, as JSON Schema: the failures, which have one shape, and the answers that several routes give. */
import type { FastifyInstance, RouteOptions } from 'fastify';

type Json = { readonly [name: string]: unknown };

const text: Json = { type: 'string' };
const count = (description: string): Json => ({ type: 'integer', minimum: 0, description });

/** An object of which nothing else is to be expected; all of it is there unless it is named in `optional`. */
export function object(properties: Readonly<Record<string, Json>>, ...optional: string[]) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

/** Which other schemas refer to by `$ref: '<name>#'`; `Row`, `Columns` and `Record` are those of the project's nodes. */
const SHARED: Readonly<Record<string, Json>> = {
  Error: object({ error: object({ code: text, message: text, hint: text }, 'hint') }),
  Taken: object({
    accepted: count('Records that are committed, by this request or an earlier one with their key.'),
    rejected: count('Records that went to the dead-letter table.'),
    errors: {
      type: 'array',
      description: 'Of the rejected ones, the first 1,000.',
      items: object(
        { index: count('From 0, of JSON.'), line: count('From 1, of NDJSON.'), reason: text },
        'index',
        'line',
      ),
    },
  }),
  Row: { type: 'object' },
  Columns: { type: 'object' },
  Record: { type: 'object' },
};

export function shareSchemas(app: FastifyInstance): void {
  for (const [name, schema] of Object.entries(SHARED)) app.addSchema({ $id: name, ...schema });
}

const RETRY_AFTER = {
  headers: { 'Retry-After': { type: 'integer', description: 'Seconds after which to send it again.' } },
};

const FAILURES = {
  400: { description: 'Something of the request is not understood, or does not fit its type.' },
  401: { description: 'A valid token (or signature) is needed.' },
  403: { description: 'The token, or the host that was asked for, does not allow it.' },
  404: { description: 'There is no such thing.' },
  409: { description: 'It is not deployed, or is of a kind that cannot do this.' },
  410: { description: 'The changes after that position are not kept any more: begin with a snapshot.' },
  413: { description: 'The body is too large.' },
  414: { description: 'A part of the path is too long.' },
  415: { description: 'The body is of a type or an encoding that cannot be read.' },
  422: { description: 'Nothing was taken in.' },
  426: { description: 'It takes a WebSocket.' },
  429: { description: 'Too much waits; nothing of this request was taken in.', ...RETRY_AFTER },
  500: { description: 'A mistake of the server, which has logged it.' },
  503: { description: 'The server stops, or its database is away or full.', ...RETRY_AFTER },
  504: { description: 'It took too long.' },
  507: { description: 'The disk is full.' },
} as const;

type Failure = keyof typeof FAILURES;

/** Responses of a route that are failures. */
export function failures(...statuses: Failure[]): Record<string, Json> {
  return Object.fromEntries(
    statuses.map((status) => [status, { ...FAILURES[status], content: json({ $ref: 'Error#' }) }]),
  );
}

/** What every route that asks the database may answer. */
export const OF_DATABASE = [400, 504, 507] as const;

/** Completes a route's schema by the failures that any route of its kind may answer. @param tokens whether some are asked for */
export function addCommonFailures(route: RouteOptions, tokens: boolean): void {
  const schema = (route.schema ??= {});
  const common: Failure[] = [403, 500, 503];
  if (tokens && route.config?.action !== undefined) {
    schema.security = [{ bearer: [] }];
    common.push(401);
  }
  if (route.url.includes(':')) common.push(400, 404, 414);
  schema.response = { ...failures(...common), ...(schema.response as Json | undefined) };
}

export function json(schema: Json) {
  return { 'application/json': { schema } };
}

/** A response that is JSON. */
export function answer(description: string, schema: Json) {
  return { description, content: json(schema) };
}
