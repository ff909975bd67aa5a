import {
  anything,
  bool,
  list,
  mapping,
  name,
  record,
  records,
  scalarText,
  text,
  textList,
  texts,
} from './schema.ts';
import type { Schema } from './schema.ts';

const hooks: Schema = texts;
export const pathKeys = [
  'model-paths',
  'seed-paths',
  'test-paths',
  'analysis-paths',
  'macro-paths',
  'snapshot-paths',
  'function-paths',
  'docs-paths',
  'asset-paths',
] as const;

/** `dbt_project.yml`, or the key `seg` of package.json. The per-folder trees are validated by config.ts. */
export const projectSchema: Schema = record('the project file', {
  name: { ...name, pattern: '^[^\\d\\W]\\w*$' },
  'config-version': { type: ['integer', 'null'] },
  version: scalarText,
  profile: text,
  ...Object.fromEntries(pathKeys.map((key) => [key, textList])),
  // names of before dbt 1.0, still met
  'source-paths': textList,
  'data-paths': textList,
  'target-path': text,
  'log-path': text,
  'packages-install-path': text,
  'clean-targets': textList,
  quoting: mapping,
  'on-run-start': hooks,
  'on-run-end': hooks,
  'require-dbt-version': { type: ['string', 'array', 'null'] },
  dispatch: records('a dispatch rule', { macro_namespace: name, search_order: textList }, [
    'macro_namespace',
    'search_order',
  ]),
  models: mapping,
  seeds: mapping,
  snapshots: mapping,
  analyses: mapping,
  sources: mapping,
  tests: mapping,
  data_tests: mapping,
  unit_tests: mapping,
  scenarios: mapping,
  sinks: mapping,
  metrics: mapping,
  'semantic-models': mapping,
  'saved-queries': mapping,
  exposures: mapping,
  functions: mapping,
  vars: mapping,
  'query-comment': anything,
  'restrict-access': bool,
  'dbt-cloud': mapping,
  flags: mapping,
  packages: list,
});

const common = { type: { type: 'string' }, threads: { type: ['integer', 'null'], minimum: 1 }, schema: name };
const port: Schema = { type: ['integer', 'null'], minimum: 1 };
const connection: Record<string, Schema> = {
  ...common,
  host: name,
  user: name,
  username: text,
  password: scalarText,
  pass: scalarText,
  port,
  dbname: text,
  database: text,
  connect_timeout: { type: ['integer', 'null'], minimum: 0 },
  role: text,
  search_path: text,
  keepalives_idle: { type: ['integer', 'null'], minimum: 0 },
  sslmode: text,
  sslcert: text,
  sslkey: text,
  sslrootcert: text,
  application_name: text,
  autocommit: bool,
  retries: { type: ['integer', 'null'], minimum: 0 },
};
/** seg: the schema that seg keeps its own state in (default `_seg`). */
const state: Record<string, Schema> = { state_schema: name };

/** seg, of streaming engines: how long changes are kept; where the copy lives that sinks and the server work on. */
const streaming: Record<string, Schema> = {
  retain_history: text,
  outbox: { type: ['string', 'object', 'null'] },
  /** Seconds that a recovery of the cluster may take. */
  recovery_timeout: { type: ['number', 'null'], minimum: 0 },
};

/** The fields of a target in profiles.yml, per type of engine. */
export const targetSchemas: Record<string, Schema> = {
  pglite: record(
    'a pglite target',
    {
      ...common,
      ...state,
      path: name,
      database: text,
      durability: { type: ['string', 'null'], enum: ['commit', 'process', null] },
      shared_buffers: { type: ['string', 'null'], pattern: '^([1-9]\\d{1,2} ?MB|1 ?GB)$' },
    },
    ['type'],
  ),
  postgres: record('a postgres target', { ...connection, ...state, statement_timeout: scalarText }, [
    'type',
    'host',
    'schema',
  ]),
  risingwave: record(
    'a risingwave target',
    {
      ...connection,
      ...state,
      ...streaming,
      statement_timeout: scalarText,
      streaming_parallelism: scalarText,
      streaming_parallelism_for_backfill: scalarText,
      streaming_max_parallelism: scalarText,
      enable_serverless_backfill: bool,
      schema_authorization: text,
    },
    ['type', 'host', 'schema'],
  ),
  materialize: record(
    'a materialize target',
    { ...connection, ...state, ...streaming, statement_timeout: scalarText, cluster: text },
    ['type', 'host', 'schema'],
  ),
};

/** profiles.yml: names of profiles, and dbt's old key `config`. */
export const profileSchema: Schema = record('a profile', { target: text, outputs: { type: 'object' } }, [
  'outputs',
]);
