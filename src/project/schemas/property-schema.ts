import { anything, bool, list, mapping, name, record, records, scalarText, text, texts } from './schema.ts';
import type { Schema } from './schema.ts';
import { sinkSchema } from './sink-schemas.ts';

const tests: Schema = { type: ['array', 'null'], items: { type: ['string', 'object'] } };
const config = mapping;

const column: Record<string, Schema> = {
  name,
  description: text,
  data_type: text,
  quote: bool,
  tags: texts,
  meta: mapping,
  constraints: list,
  data_tests: tests,
  tests,
  docs: mapping,
  config,
  policy: anything,
  granularity: text,
  dimension: anything,
  entity: anything,
};
const columns = records('a column', column);

const sourceColumns = records('a column of a source', {
  ...column,
  path: text,
  generated: { type: 'string', enum: ['position', 'received_at'] },
  not_null: bool,
});

const relation: Record<string, Schema> = {
  name,
  description: text,
  config,
  columns,
  data_tests: tests,
  tests,
  docs: mapping,
  meta: mapping,
};

const freshness = mapping;
const sourceTable: Record<string, Schema> = {
  ...relation,
  columns: sourceColumns,
  identifier: text,
  loader: text,
  loaded_at_field: text,
  loaded_at_query: text,
  freshness,
  quoting: mapping,
  tags: texts,
  external: anything,
  // seg's own; they may stand here or under config
  key: texts,
  format: { type: 'string', enum: ['json', 'csv'] },
  json_schema: { type: ['string', 'object', 'boolean', 'null'] },
  on_conflict: { type: 'string', enum: ['append', 'upsert'] },
  on_error: { type: 'string', enum: ['fail', 'quarantine'] },
  existing: bool,
  install: texts,
  connector: mapping,
};

const rows: Record<string, Schema> = {
  rows: { type: ['array', 'string', 'null'] },
  format: { type: ['string', 'null'], enum: ['dict', 'csv', 'sql', null] },
  fixture: text,
};

/** What a property file (any .yml under the resource folders) may hold. */
export const propertySchema: Schema = record('a property file', {
  version: scalarText,
  anchors: anything,
  models: records('a model', {
    ...relation,
    access: text,
    latest_version: scalarText,
    versions: list,
    deprecation_date: scalarText,
    constraints: list,
    time_spine: anything,
    group: text,
    tags: texts,
  }),
  seeds: records('a seed', { ...relation, tags: texts, group: text }),
  snapshots: list,
  sources: records('a source', {
    name,
    description: text,
    database: text,
    schema: text,
    loader: text,
    loaded_at_field: text,
    loaded_at_query: text,
    freshness,
    quoting: mapping,
    tags: texts,
    meta: mapping,
    config,
    overrides: text,
    tables: records('a table of a source', sourceTable),
  }),
  macros: records('a macro', {
    name,
    description: text,
    meta: mapping,
    docs: mapping,
    config,
    arguments: records('an argument', { name, type: text, description: text }),
  }),
  analyses: list,
  exposures: records('an exposure', {
    name,
    type: text,
    label: text,
    owner: mapping,
    description: text,
    maturity: text,
    url: text,
    depends_on: { type: ['array', 'null'], items: { type: 'string' } },
    tags: texts,
    meta: mapping,
    config,
    enabled: bool,
  }),
  groups: records('a group', { name, owner: mapping, description: text, config, meta: mapping }),
  metrics: list,
  functions: list,
  'semantic-models': list,
  semantic_models: list,
  saved_queries: list,
  data_tests: records('a singular test', { name, description: text, config, meta: mapping, docs: mapping }),
  unit_tests: records(
    'a unit test',
    {
      name,
      model: name,
      description: text,
      given: records('an input of a unit test', { input: name, ...rows }, ['input']),
      expect: record('the expectation of a unit test', rows),
      overrides: record('the overrides of a unit test', {
        macros: mapping,
        vars: mapping,
        env_vars: mapping,
      }),
      config,
      versions: anything,
      tags: texts,
    },
    ['name', 'model', 'expect'],
  ),
  sinks: sinkSchema,
  // seg's own; everything else in a scenario is validated by testing/scenario
  scenarios: {
    type: ['array', 'null'],
    items: {
      title: 'a scenario',
      type: 'object',
      properties: {
        name,
        description: text,
        steps: { type: 'array', items: { type: 'object' } },
        tags: texts,
        config,
      },
      required: ['name', 'steps'],
    },
  },
});
