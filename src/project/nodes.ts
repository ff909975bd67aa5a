/**
 * The nodes of a project, in the shape of dbt's manifest (v12), which is why names are in snake_case. What seg adds to
 * dbt's fields is marked. Nodes are plain frozen data: everything here survives JSON.
 */
import type { Location } from '../diagnostics/diagnostic.ts';
import type { JsonValue } from '../changelog/change.ts';
import type { SinkMode, SinkType } from './schemas/sink-schemas.ts';

export type ResourceType = 'model' | 'seed' | 'source' | 'test' | 'unit_test' | 'scenario' | 'sink';

/** How a relation lives in the engine. `materializedview` and `incremental` are read as `materialized_view`. */
export type Materialization = 'view' | 'materialized_view' | 'table' | 'ephemeral' | 'sink';

export interface NodeConfig {
  enabled: boolean;
  tags: string[];
  meta: Record<string, JsonValue>;
  /** Keys seg does not act on are kept, so `config.<key>:` selects on them. */
  [key: string]: JsonValue;
}

export interface IndexConfig {
  columns: string[];
  unique?: boolean;
  type?: string;
}

export interface ModelConfig extends NodeConfig {
  materialized: Materialization;
  schema: string | null;
  alias: string | null;
  /** Columns that identify a row; changes are paired into updates by it. */
  unique_key: string | string[] | null;
  /** seg: keep every change of this model from its deployment on, not only while somebody follows. */
  changelog: boolean;
  /** seg: `recompute` forces recompute-and-difference. */
  maintenance: 'auto' | 'recompute';
}

export interface SeedConfig extends NodeConfig {
  schema: string | null;
  alias: string | null;
  delimiter: string;
  column_types: Record<string, string>;
  quote_columns: boolean | null;
  /** seg: as for models; with it, `seg seed` finds changed rows by key and refuses duplicates. */
  unique_key: string | string[] | null;
}

/** Indexes are an offer: without them the models stay right, and become slower with size. */
export type Installed = 'triggers' | 'indexes';

export interface SourceConfig extends NodeConfig {
  /** seg: `append` (default) drops redelivered keys; `upsert` lets the last record of a key win. */
  on_conflict: 'append' | 'upsert';
  /**
   * seg: what becomes of a record on which a model fails. `fail` (default): ingestion ends with an error; `quarantine`: the
   * record goes to the dead-letter table, and the rest is taken in.
   */
  on_error: 'fail' | 'quarantine';
  /** seg: somebody else makes and fills it; seg only reads it. */
  existing: boolean;
  /** seg, on the Postgres family: what seg may put on an existing table. Maintained models need its triggers. */
  install: Installed[];
}

export interface TestConfig extends NodeConfig {
  severity: 'ERROR' | 'WARN';
  store_failures: boolean | null;
  store_failures_as: string | null;
  where: string | null;
  limit: number | null;
  fail_calc: string;
  warn_if: string;
  error_if: string;
  schema: string | null;
  alias: string | null;
}

export interface ColumnInfo {
  name: string;
  description: string;
  data_type: string | null;
  meta: Record<string, JsonValue>;
  tags: string[];
  quote: boolean | null;
  /** seg, sources only: where the value comes from in a record: a dotted path, `$` for the whole record. */
  path?: string;
  /** seg, sources only: `position` = arrival order (identity), `received_at` = the project clock's time of arrival. */
  generated?: 'position' | 'received_at';
  /** seg, sources only: `not_null` when the value must be there; the key's columns always must. */
  not_null?: boolean;
}

export interface NodeBase<T extends ResourceType, C extends NodeConfig> {
  resource_type: T;
  unique_id: string;
  name: string;
  package_name: string;
  /** Relative to its resource folder (`models/`), as in dbt; `original_file_path` is relative to the project. */
  path: string;
  original_file_path: string;
  fqn: string[];
  description: string;
  tags: string[];
  meta: Record<string, JsonValue>;
  config: C;
  /** What the user wrote, before Jinja; `state:modified.configs` compares it. */
  unrendered_config: Record<string, JsonValue>;
  /** The property file that describes the node, `package://models/x.yml`; null when there is none. */
  patch_path: string | null;
  checksum: { name: 'sha256' | 'none'; checksum: string };
  depends_on: { nodes: string[]; macros: string[] };
  /** seg: where the node is defined. */
  at: Location;
}

/** A node that is a relation in the engine. */
export interface RelationFields {
  database: string;
  schema: string;
  alias: string;
  /** Quoted, as `{{ ref() }}` renders it; null for ephemeral models. */
  relation_name: string | null;
  columns: Record<string, ColumnInfo>;
}

/** A node whose text is a template of SQL. */
export interface SqlFields {
  language: 'sql';
  raw_code: string;
  /** Set by compilation; ephemeral parents are inlined as CTEs named `__dbt__cte__<name>`. */
  compiled: boolean;
  compiled_code: string | null;
  refs: { name: string; package: string | null; version: null }[];
  sources: [string, string][];
}

export interface ModelNode extends NodeBase<'model', ModelConfig>, RelationFields, SqlFields {
  /** seg, of `materialized: sink`: where its rows go, as written; null for every other model. */
  connector: Record<string, JsonValue> | null;
  /** seg: where its `unique_key` is written, if it has one. */
  key_at?: Location;
}

export interface SeedNode extends NodeBase<'seed', SeedConfig>, RelationFields {
  /** seg: where its `unique_key` is written, if it has one. */
  key_at?: Location;
  root_path: string | null;
}

export interface SourceNode extends NodeBase<'source', SourceConfig>, RelationFields {
  source_name: string;
  source_description: string;
  loader: string;
  identifier: string;
  loaded_at_field: string | null;
  /** seg: the columns that identify a record; empty = every record counts. */
  key: string[];
  /** seg, on RisingWave and Materialize: what fills it there; as written, since templates may read secrets. */
  connector: Record<string, JsonValue> | null;
  /** seg: `json` (NDJSON) or `csv`, what `seg ingest` expects when the file's name does not say. */
  format: 'json' | 'csv';
  /** seg: JSON Schema a record must satisfy, as read from the `json_schema` file or inline; null = none. */
  json_schema: JsonValue;
}

export interface TestNode extends NodeBase<'test', TestConfig>, RelationFields, SqlFields {
  /** null for singular tests. */
  test_metadata: { name: string; namespace: string | null; kwargs: Record<string, JsonValue> } | null;
  column_name: string | null;
  attached_node: string | null;
  /** The property file's key of the model, for `path:` selection of generic tests. */
  file_key_name: string | null;
}

export interface UnitTestNode extends NodeBase<'unit_test', NodeConfig> {
  model: string;
  given: { input: string; rows: JsonValue; format: 'dict' | 'csv' | 'sql'; fixture: string | null }[];
  expect: { rows: JsonValue; format: 'dict' | 'csv' | 'sql'; fixture: string | null };
  overrides: {
    macros: Record<string, JsonValue>;
    vars: Record<string, JsonValue>;
    env_vars: Record<string, JsonValue>;
  };
}

/** seg: a scenario of tests/*.yml; its steps are validated by testing/scenario. */
export interface ScenarioNode extends NodeBase<'scenario', NodeConfig> {
  /** The scenario as parsed YAML, and where each step stands in the file (same order as `steps`). */
  scenario: JsonValue;
  step_locations: Location[];
}

/** seg: where the changes of a relation go (docs/sinks.md). */
export interface SinkNode extends NodeBase<'sink', NodeConfig> {
  type: SinkType;
  /** unique_id of what it reads: a model, a test that stores its failures, a source. */
  from: string;
  mode: SinkMode;
  /** Columns that are sent, in this order; null = all. */
  columns: string[] | null;
  /** Field → SQL over the columns; null = the columns as they are. */
  mapping: Record<string, string> | null;
  /** SQL condition over the columns. */
  where: string | null;
  /** Columns that identify a record at the receiver; null = the model's key. */
  primary_key: string[] | null;
  /** What happens to a record that is gone here; an object = fields to set. */
  on_delete: 'ignore' | 'delete' | Record<string, JsonValue>;
  /** Whether what is there when the sink begins is sent too. */
  backfill: boolean;
  /** Largest share of the records known to the receiver that one step may delete or change; null = no limit. */
  guard: { deletes: number | null; changes: number | null; at_least: number };
  /** As written: templates that read the environment are rendered when the sink runs, never into an artifact. */
  settings: Record<string, JsonValue>;
  notify: { type: 'slack' | 'webhook'; url: string } | null;
}

export interface MacroNode {
  resource_type: 'macro';
  unique_id: string;
  name: string;
  package_name: string;
  path: string;
  original_file_path: string;
  macro_sql: string;
  depends_on: { macros: string[] };
  description: string;
  meta: Record<string, JsonValue>;
  arguments: { name: string; type: string | null; description: string }[];
  at: Location;
}

export type GraphNode = ModelNode | SeedNode | SourceNode | TestNode | UnitTestNode | ScenarioNode | SinkNode;
/** Nodes that become relations other nodes may read. */
export type RelationNode = ModelNode | SeedNode | SourceNode;
