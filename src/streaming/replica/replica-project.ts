/** The project of a replica: each followed relation of the streaming engine as a model over a table that its feed fills. */
import type { JsonValue } from '../../changelog/change.ts';
import { parseDataType } from '../../connectors/data-type.ts';
import type { RelationName } from '../../ivm/catalog.ts';
import type { Project } from '../../project/load.ts';
import type { Target } from '../../project/profiles.ts';
import type { ModelNode, SourceNode } from '../../project/nodes.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { shortName } from '../../sql/short-name.ts';
import { objectOf } from '../../json/member-order.ts';

/** Where the tables are that feeds fill; what reads them bears the names of the project. */
export const REPLICA_SCHEMA = 'seg_replica';

/** A relation of the engine as it is kept here. */
export interface Copied {
  readonly uniqueId: string;
  readonly name: string;
  readonly label: string;
  readonly relation: RelationName;
  readonly key: readonly string[];
  /** As the engine calls them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** The table that the feed of a relation fills. */
export function copyTable({ relation }: Pick<Copied, 'relation'>): RelationName {
  return { schema: REPLICA_SCHEMA, name: shortName(`${relation.schema}.${relation.name}`) };
}

const known = new Set([
  'smallint',
  'integer',
  'bigint',
  'numeric',
  'real',
  'double precision',
  'boolean',
  'text',
  'uuid',
  'date',
  'time without time zone',
  'timestamp without time zone',
  'timestamp with time zone',
  'interval',
  'jsonb',
  'bytea',
]);

/** A type of the engine in PostgreSQL's words; what PostgreSQL has not is text, as feeds give it. */
export function copiedType(type: string): string {
  const { base, isArray } = parseDataType(type);
  if (isArray) return 'text';
  if (base === 'character varying' || base === 'character') return 'text';
  if (/^(uint\d+|mz_timestamp|rw_int256)$/.test(base)) return 'numeric';
  return known.has(base) ? base : 'text';
}

/** @param target where the replica lives, of the Postgres family */
export function replicaProject(project: Project, target: Target, copied: readonly Copied[]): Project {
  const sources = copied.map((each) => sourceOf(project, each));
  const models = copied.map((each, i) => modelOf(project, each, sources[i]!));
  return {
    ...project,
    target,
    manifest: {
      ...project.manifest,
      sources: Object.fromEntries(sources.map((source) => [source.unique_id, source])),
      nodes: Object.fromEntries(models.map((model) => [model.unique_id, model])),
      unit_tests: {},
      scenarios: {},
    },
    sourceMaps: new Map(),
    onRunStart: [],
    onRunEnd: [],
  };
}

function shared(project: Project, each: Copied, schema: string, alias: string) {
  const { file, line, column } = { file: project.profilesFile, line: 1, column: 1 };
  return {
    package_name: project.name,
    path: '',
    original_file_path: '',
    fqn: [project.name, each.name],
    description: '',
    tags: [],
    meta: {},
    unrendered_config: {},
    patch_path: null,
    checksum: { name: 'none' as const, checksum: '' },
    at: { file, line, column },
    database: project.target.database,
    schema,
    alias,
    relation_name: quoteRelation({ schema, name: alias }),
    columns: {},
  };
}

function sourceOf(project: Project, each: Copied): SourceNode {
  const { schema, name } = copyTable(each);
  return {
    ...shared(project, each, schema, name),
    resource_type: 'source',
    unique_id: `source.${project.name}.${schema}.${name}`,
    name,
    source_name: schema,
    source_description: '',
    loader: '',
    identifier: name,
    loaded_at_field: null,
    depends_on: { nodes: [], macros: [] },
    config: {
      enabled: true,
      tags: [],
      meta: {},
      on_conflict: 'append',
      on_error: 'fail',
      existing: false,
      install: [],
    },
    columns: objectOf(
      each.columns.map((column) => [
        column.name,
        {
          name: column.name,
          description: '',
          data_type: copiedType(column.type),
          meta: {},
          tags: [],
          quote: null,
        },
      ]),
    ),
    key: [],
    connector: null,
    format: 'json',
    json_schema: null,
  };
}

function modelOf(project: Project, each: Copied, source: SourceNode): ModelNode {
  const own = project.manifest.nodes[each.uniqueId];
  const config = own?.config as Readonly<Record<string, JsonValue>> | undefined;
  const columns = each.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const { schema, name: alias } = each.relation;
  const code = `select ${columns} from ${source.relation_name}`;
  return {
    ...shared(project, each, schema, alias),
    resource_type: 'model',
    unique_id: each.uniqueId,
    name: each.name,
    depends_on: { nodes: [source.unique_id], macros: [] },
    config: {
      enabled: true,
      tags: [],
      meta: {},
      materialized: 'materialized_view',
      schema: null,
      alias: null,
      unique_key: each.key.length === 0 ? null : [...each.key],
      changelog: true,
      maintenance: 'auto',
      retain_history: config?.['retain_history'] ?? null,
      retain_changes: config?.['retain_changes'] ?? null,
    },
    language: 'sql',
    raw_code: code,
    compiled: true,
    compiled_code: code,
    refs: [],
    sources: [],
    connector: null,
  };
}
