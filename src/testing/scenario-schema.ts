/** The JSON Schema of one entry under `scenarios:`; docs/testing.md explains the keys to people. */

const text = { type: 'string', minLength: 1 };
const count = { type: 'integer', minimum: 0 };
const names = { type: 'array', items: text, minItems: 1 };
const rows = { anyOf: [{ type: 'array', items: { type: 'object' } }, { type: 'string' }] };
const format = { enum: ['dict', 'csv', 'ndjson'] };
const mapping = { type: 'object' };
/** YAML reads `30` and `2021` as numbers; the engine gets them as text all the same. */
const instant = { type: ['string', 'integer'], minLength: 1 };

const rowsFields = {
  rows,
  file: text,
  format,
};

const expectFields = {
  ...rowsFields,
  contains: { anyOf: [{ type: 'boolean' }, ...rows.anyOf] },
  where: { anyOf: [text, mapping] },
  columns: names,
  ordered: { anyOf: [text, names] },
  key: { anyOf: [text, names] },
  count,
};

const rejection = {
  type: 'object',
  properties: { line: { type: 'integer', minimum: 1 }, reason: text },
  additionalProperties: false,
  minProperties: 1,
};

const perModel = (fields: Record<string, object>): object => ({
  type: 'object',
  minProperties: 1,
  additionalProperties: {
    anyOf: [...rows.anyOf, { type: 'object', properties: fields, additionalProperties: false }],
  },
});

export const stepSchema = {
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: {
    name: text,
    at: instant,
    advance: instant,
    restart: { const: true },
    kill: { const: true },
    seed: text,
    run: { anyOf: [{ const: true }, names] },
    sql: text,
    error: text,
    ingest: text,
    records: rows,
    generate: {
      type: 'object',
      properties: { stream: text, count: { type: 'integer', minimum: 1 }, seed: { type: 'integer' } },
    },
    any_order: { type: 'boolean' },
    accepted: count,
    duplicate: count,
    rejected: { anyOf: [count, { type: 'array', items: rejection }] },
    expect: { anyOf: [text, perModel(expectFields)] },
    changes: { anyOf: [text, perModel(expectFields)] },
    expect_sink: {
      type: 'object',
      minProperties: 1,
      additionalProperties: {
        anyOf: [
          { type: 'array' },
          {
            type: 'object',
            minProperties: 1,
            properties: { bodies: { type: 'array' }, contains: { type: 'boolean' }, count },
            additionalProperties: false,
          },
        ],
      },
    },
    ...expectFields,
    verify: { anyOf: [{ type: 'boolean' }, names] },
  },
} as const;

export const scenarioSchema = {
  type: 'object',
  required: ['name', 'steps'],
  additionalProperties: false,
  properties: {
    name: text,
    description: { type: 'string' },
    at: instant,
    vars: mapping,
    config: mapping,
    tags: { anyOf: [text, names] },
    meta: mapping,
    enabled: { type: 'boolean' },
    verify: { enum: [true, false, 'each_step'] },
    orders: {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: 1000 },
        {
          type: 'object',
          required: ['count'],
          additionalProperties: false,
          properties: { count: { type: 'integer', minimum: 1, maximum: 1000 }, seed: { type: 'integer' } },
        },
      ],
    },
    steps: { type: 'array', items: stepSchema, minItems: 1 },
  },
} as const;
