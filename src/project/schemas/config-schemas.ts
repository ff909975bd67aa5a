import {
  anything,
  bool,
  count,
  list,
  mapping,
  record,
  scalarText,
  text,
  textList,
  textMap,
  texts,
} from './schema.ts';
import type { Schema } from './schema.ts';

/** A length of time as PostgreSQL writes one: 7 days, 1 day 12:00:00, PT12H. */
const interval: Schema = {
  type: ['string', 'null'],
  pattern:
    '^\\s*(P[0-9A-Z.]+|(([0-9]+(\\.[0-9]+)?\\s*(us|usecs?|microseconds?|ms|msecs?|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|mons?|months?|y|yrs?|years?)|[0-9]+:[0-9]{2}(:[0-9]{2}(\\.[0-9]+)?)?)\\s*)+)$',
};

export type ConfigKind =
  'model' | 'seed' | 'source' | 'test' | 'unit_test' | 'scenario' | 'exposure' | 'sink';

const hooks: Schema = { type: ['string', 'object', 'array', 'null'] };
const keyColumns = texts;

const common: Record<string, Schema> = {
  enabled: bool,
  tags: texts,
  meta: mapping,
  group: text,
  docs: mapping,
};

const relation: Record<string, Schema> = {
  schema: text,
  database: text,
  alias: text,
  quoting: mapping,
  persist_docs: mapping,
  grants: mapping,
  full_refresh: bool,
  packages: textList,
  'pre-hook': hooks,
  'post-hook': hooks,
  pre_hook: hooks,
  post_hook: hooks,
  event_time: text,
};

const indexes: Schema = {
  type: ['array', 'null'],
  items: {
    ...record('an index', { columns: texts, unique: bool, type: text, name: text }, ['columns']),
    type: 'object',
  },
};

/** The configuration keys seg knows, per kind of node; dbt's and (marked) its own. */
export const configSchemas: Record<ConfigKind, Schema> = {
  model: record('the configuration of a model', {
    ...common,
    ...relation,
    materialized: { type: 'string' },
    unique_key: keyColumns,
    indexes,
    incremental_strategy: text,
    on_schema_change: {
      type: ['string', 'null'],
      enum: ['ignore', 'append_new_columns', 'sync_all_columns', 'fail', null],
    },
    on_configuration_change: { type: ['string', 'null'], enum: ['apply', 'continue', 'fail', null] },
    contract: { type: ['object', 'boolean', 'null'] },
    access: text,
    freshness: mapping,
    sql_header: text,
    unlogged: bool,
    batch_size: text,
    lookback: scalarText,
    begin: scalarText,
    concurrent_batches: bool,
    static_analysis: scalarText,
    // seg's own
    changelog: bool,
    retain_changes: { type: ['integer', 'null'], minimum: 1 },
    maintenance: { type: 'string', enum: ['auto', 'recompute'] },
    // Materialize and RisingWave
    connector: mapping,
    cluster: text,
    retain_history: interval,
    refresh_interval: scalarText,
    schema_authorization: text,
    streaming_parallelism: scalarText,
    streaming_parallelism_for_backfill: scalarText,
    streaming_max_parallelism: scalarText,
    enable_serverless_backfill: bool,
    background_ddl: bool,
  }),
  seed: record('the configuration of a seed', {
    ...common,
    ...relation,
    materialized: { type: 'string' },
    delimiter: { type: 'string' },
    column_types: textMap,
    quote_columns: bool,
    unique_key: keyColumns,
    indexes,
  }),
  source: record('the configuration of a source', {
    ...common,
    schema: text,
    event_time: text,
    freshness: mapping,
    loaded_at_field: text,
    loaded_at_query: text,
    // seg's own
    key: keyColumns,
    format: { type: 'string', enum: ['json', 'csv'] },
    json_schema: { type: ['string', 'object', 'boolean', 'null'] },
    on_conflict: { type: 'string', enum: ['append', 'upsert'] },
    on_error: { type: 'string', enum: ['fail', 'quarantine'] },
    existing: bool,
    install: texts,
    connector: mapping,
    // Materialize and RisingWave
    cluster: text,
    retain_history: interval,
  }),
  test: record('the configuration of a test', {
    ...common,
    schema: text,
    database: text,
    alias: text,
    materialized: { type: 'string' },
    severity: { type: 'string', pattern: '^([Ww][Aa][Rr][Nn]|[Ee][Rr][Rr][Oo][Rr])$' },
    store_failures: bool,
    store_failures_as: { type: ['string', 'null'], enum: ['ephemeral', 'table', 'view', null] },
    where: scalarText,
    limit: count,
    fail_calc: text,
    warn_if: text,
    error_if: text,
    unique_key: keyColumns,
    quoting: mapping,
    sql_header: text,
  }),
  unit_test: record('the configuration of a unit test', { ...common, static_analysis: scalarText }),
  scenario: record('the configuration of a scenario', { ...common }),
  sink: record('the configuration of a sink', { ...common }),
  exposure: record('the configuration of an exposure', {
    ...common,
    materialized: anything,
    depends_on: list,
  }),
};

/** The names a key may have in the configuration of `kind`. */
export function configKeys(kind: ConfigKind): string[] {
  return Object.keys(configSchemas[kind].properties ?? {});
}
