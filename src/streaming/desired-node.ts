/** What a node of the manifest asks of a streaming engine: plain data, made without a connection. */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { RelationName } from '../ivm/catalog.ts';
import { allNodes } from '../project/manifest.ts';
import type { GraphNode, ModelNode, RelationNode, TestNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';
import { isDeployable, relationOf } from '../deploy/spec.ts';
import { rejectedTable } from '../deploy/ddl.ts';
import { quoteRelation } from '../sql/quote.ts';
import { UnsupportedType } from './dialect.ts';
import type { ConnectorText, Dialect, ObjectKind, TableColumn } from './dialect.ts';
import { subsource } from './connectors/raw-object.ts';
import { withSecrets } from './connectors/settings.ts';
import { renameRelations } from './rename-relations.ts';
import { valuesOf } from '../json/member-order.ts';

export interface DesiredNode {
  readonly uniqueId: string;
  readonly name: string;
  /** For messages: `model "x"`. */
  readonly label: string;
  readonly kind: ObjectKind;
  readonly relation: RelationName;
  /** unique_ids of the nodes it reads, ephemeral ones seen through. */
  readonly reads: readonly string[];
  /** Compiled SQL, or what a subscription is on; null for tables that are written to. */
  readonly definition: string | null;
  readonly sourceMap: SourceMap | null;
  /** Of sources and seeds. */
  readonly columns: readonly TableColumn[];
  readonly key: readonly string[];
  readonly onConflict: 'first' | 'last';
  readonly indexes: readonly (readonly string[])[];
  /** Of an object that a connector is made of. */
  readonly connector?: ConnectorText;
  /** The secrets in `connector`; never stored. */
  readonly secrets?: ReadonlyMap<string, string>;
  /** Materialize: where it is computed, when that is not the target's cluster. */
  readonly cluster?: string;
  /** How long its changes are kept; altered in place, so it is no part of the fingerprint. */
  readonly retention?: string;
  /** Equal fingerprints mean that the object that stands is the one that is wanted. */
  readonly fingerprint: string;
  readonly at: Location;
}

/** Whether a node is an object of its own in the engine. */
export function isStreamed(node: GraphNode): node is RelationNode | TestNode {
  return isDeployable(node);
}

/**
 * @param seedColumns the columns of a seed, which only its file tells
 * @throws SegError SEG408 for a type the engine has not
 */
export function desiredNode(
  project: Project,
  dialect: Dialect,
  node: RelationNode | TestNode,
  seedColumns: readonly { name: string; type: string }[] = [],
): DesiredNode {
  const label = `${node.resource_type} "${node.name}"`;
  const definition = 'compiled_code' in node ? withoutSemicolon(node.compiled_code ?? '') : null;
  const columns = columnsOf(node, seedColumns);
  for (const column of columns) requireType(dialect, column, label, node.at);
  const kind = kindOf(node);
  requireNames(dialect, [...columns.map(({ name }) => name), relationOf(node), node.schema], label, node.at);
  const key = keyOf(node);
  const relation = { schema: node.schema, name: relationOf(node) };
  const indexes = node.resource_type === 'model' ? indexesOf(node) : [];
  const onConflict =
    node.resource_type === 'source' && node.config.on_conflict !== 'upsert' ? 'first' : 'last';
  const cluster = textConfig(node, 'cluster');
  const retention = textConfig(node, 'retain_history') ?? textOf(project.target.fields['retain_history']);
  const content = {
    ...{ engine: dialect.engine, kind, relation, definition, columns, key, indexes, onConflict },
    ...(cluster === undefined ? {} : { cluster }),
  };
  return {
    uniqueId: node.unique_id,
    name: node.name,
    label,
    kind,
    relation,
    reads: readsOf(project, node),
    definition,
    sourceMap: project.sourceMaps.get(node.unique_id) ?? null,
    columns,
    key,
    onConflict,
    indexes,
    ...(cluster === undefined ? {} : { cluster }),
    ...(retention === undefined ? {} : { retention }),
    fingerprint: fingerprintOf(content),
    at: node.at,
  };
}

/** Equal for equal content. */
export function fingerprintOf(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}

function textConfig(node: RelationNode | TestNode, name: string): string | undefined {
  return textOf(node.config[name]);
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The statements that make it, under another name and reading other versions where `renames` says so. */
export function createStatements(
  dialect: Dialect,
  node: Pick<
    DesiredNode,
    | 'kind'
    | 'relation'
    | 'columns'
    | 'key'
    | 'onConflict'
    | 'definition'
    | 'indexes'
    | 'connector'
    | 'secrets'
    | 'cluster'
    | 'retention'
  >,
  name: RelationName,
  renames: ReadonlyMap<string, string>,
): string[] {
  if (node.connector !== undefined) return [connectorStatement(dialect, node.connector, node, name, renames)];
  if (node.kind === 'table') {
    return dialect.createTable({ name, columns: node.columns, key: node.key, onConflict: node.onConflict });
  }
  const query = renameRelations(node.definition ?? '', renames);
  if (node.kind === 'subscription') {
    const statement = dialect.createSubscription(name, query);
    return statement === null ? [] : [statement];
  }
  const { kind, indexes, cluster, retention } = node;
  if (kind !== 'view' && kind !== 'materialized_view')
    throw new Error(`invariant: a ${kind} without a connector`);
  return [dialect.createModel({ name, kind, query, indexes, cluster, retention })];
}

function connectorStatement(
  dialect: Dialect,
  { before, options, after, subsource: hasSubsource }: ConnectorText,
  { kind, relation, secrets }: Pick<DesiredNode, 'kind' | 'relation' | 'secrets'>,
  name: RelationName,
  renames: ReadonlyMap<string, string>,
): string {
  const all = new Map(renames);
  if (hasSubsource === true) all.set(relationKey(subsource(relation)), relationKey(subsource(name)));
  const rename = (sql: string): string => renameRelations(sql, all);
  const renamed = Object.fromEntries(Object.entries(options).map(([key, sql]) => [key, rename(sql)]));
  return withSecrets(
    dialect.createWords(kind, name) + rename(before) + dialect.connectorOptions(renamed) + rename(after),
    secrets,
  );
}

/** The table for records that a source refuses. */
export function rejectedColumns(): TableColumn[] {
  return [
    { name: 'rejected_at', type: 'timestamptz', notNull: false },
    { name: 'origin', type: 'text', notNull: false },
    { name: 'line', type: 'bigint', notNull: false },
    { name: 'reason', type: 'text', notNull: false },
    { name: 'payload', type: 'text', notNull: false },
  ];
}

export function rejectedRelation({ schema, name }: RelationName): RelationName {
  return rejectedTable({ schema, relation: name });
}

export function relationKey(relation: RelationName): string {
  return quoteRelation(relation);
}

function kindOf(node: RelationNode | TestNode): DesiredNode['kind'] {
  switch (node.resource_type) {
    case 'source':
    case 'seed':
      return 'table';
    case 'test':
      return node.config.store_failures_as === 'view' ? 'view' : 'materialized_view';
    case 'model':
      // A table that is made once by its query is what a materialized view is from then on.
      return node.config.materialized === 'view' ? 'view' : 'materialized_view';
  }
}

function keyOf(node: RelationNode | TestNode): string[] {
  if (node.resource_type === 'source') return node.key;
  if (node.resource_type === 'test') return [];
  const key = node.config.unique_key;
  return key === null ? [] : Array.isArray(key) ? key : [key];
}

function columnsOf(
  node: RelationNode | TestNode,
  seedColumns: readonly { name: string; type: string }[],
): TableColumn[] {
  if (node.resource_type === 'seed') return seedColumns.map((column) => ({ ...column, notNull: false }));
  if (node.resource_type !== 'source') return [];
  return valuesOf(node.columns).map((column) => ({
    name: column.name,
    type:
      column.data_type ??
      (column.generated === 'position' ? 'bigint' : column.generated ? 'timestamptz' : 'text'),
    notNull: column.not_null === true,
  }));
}

function indexesOf(node: ModelNode): string[][] {
  const value = node.config['indexes'];
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry) => {
    const { columns } = (entry ?? {}) as { columns?: string[] };
    return columns === undefined ? [] : [columns];
  });
}

function readsOf(project: Project, node: RelationNode | TestNode): string[] {
  const nodes = allNodes(project.manifest);
  const found = new Set<string>();
  const follow = (ids: readonly string[]): void => {
    for (const id of ids) {
      const upstream = nodes.get(id);
      if (upstream === undefined) continue;
      if (upstream.resource_type === 'model' && upstream.config.materialized === 'ephemeral')
        follow(upstream.depends_on.nodes);
      else if (isStreamed(upstream)) found.add(id);
    }
  };
  follow(node.depends_on.nodes);
  return [...found];
}

function requireType(dialect: Dialect, column: TableColumn, label: string, at: Location): void {
  try {
    dialect.columnType(column.type);
  } catch (error) {
    if (!(error instanceof UnsupportedType)) throw error;
    throw segError(
      'SEG408',
      `column "${column.name}" of ${label} has the type "${column.type}", which ${dialect.title} has not`,
      { at, hint: `Declare it as ${error.instead}.` },
    );
  }
}

/** RisingWave knows no "" inside of quotes. */
function requireNames(dialect: Dialect, names: readonly string[], label: string, at: Location): void {
  const name = names.find((each) => each.includes('"'));
  if (name === undefined || dialect.engine !== 'risingwave') return;
  throw segError(
    'SEG433',
    `${label}: ${dialect.title} has not a name with a quotation mark in it, ${JSON.stringify(name)}`,
    {
      at,
      hint: 'Call it otherwise; "path" of a source\'s column tells where its value stands in a record.',
      exitCode: 1,
    },
  );
}

function withoutSemicolon(sql: string): string {
  return sql.replace(/[\s;]+$/, '');
}
