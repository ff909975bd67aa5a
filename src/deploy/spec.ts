/** What a node of the manifest asks of the database: plain data, made without a connection. */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { ColumnInfo, GraphNode, IndexConfig, RelationNode, TestNode } from '../project/nodes.ts';
import { allNodes } from '../project/manifest.ts';
import type { Project } from '../project/load.ts';
import { namesInQuery } from '../sql/relations.ts';
import { CLOCK } from '../state/nodes.ts';
import type { NodeKind } from '../state/nodes.ts';
import { INTAKE, intakeOf } from './intake.ts';
import { checkFunctions } from '../incremental/maintainable.ts';
import { valuesOf } from '../json/member-order.ts';

export interface DeclaredColumn {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly generated: ColumnInfo['generated'];
  /** false: an existing table's column of whatever type it has. */
  readonly typed?: false;
}

export interface NodeSpec {
  readonly uniqueId: string;
  readonly name: string;
  /** For messages: `model "x"`. */
  readonly label: string;
  readonly kind: NodeKind;
  readonly schema: string;
  readonly relation: string;
  /** Compiled SQL; null for sources and seeds. */
  readonly definition: string | null;
  readonly sourceMap: SourceMap | null;
  /** Sources and seeds: the table's columns. */
  readonly declared: readonly DeclaredColumn[];
  readonly key: readonly string[];
  readonly indexes: readonly IndexConfig[];
  readonly keepChanges: boolean;
  /** unique_ids of the nodes whose relations the definition reads, and CLOCK. */
  readonly reads: readonly string[];
  /** Relations it reads that no node makes, for kinds that may (views, tables). */
  readonly foreign: readonly string[];
  readonly settings: { readonly [name: string]: JsonValue };
  /** Equal fingerprints mean that nothing needs to be done. */
  readonly fingerprint: string;
  readonly at: Location;
}

/** Finds which node a relation's name belongs to, for one project and target. */
export type RelationIndex = ReadonlyMap<string, string>;

export function relationIndex(project: Project): RelationIndex {
  const index = new Map<string, string>();
  for (const node of allNodes(project.manifest).values()) {
    if (!isRelation(node) || node.relation_name === null) continue;
    index.set(relationKey(node.schema, relationOf(node)), node.unique_id);
  }
  index.set(relationKey(stateSchemaOf(project), 'clock'), CLOCK);
  return index;
}

/** The state schema of a target; `_seg` unless the profile says otherwise. */
export function stateSchemaOf(project: Pick<Project, 'target'>): string {
  const schema = project.target.fields['state_schema'];
  return typeof schema === 'string' && schema !== '' ? schema : '_seg';
}

/** Where the programs and views of a target look for unqualified names. */
export function programSearchPath(project: Pick<Project, 'target'>): string[] {
  return [project.target.schema, 'pg_catalog'];
}

/** Whether a node becomes a relation: ephemeral models do not, tests only when they store their failures as a view. */
export function isDeployable(node: GraphNode): node is RelationNode | TestNode {
  if (node.resource_type === 'test') return storesFailures(node);
  if (node.resource_type === 'model') return node.config.materialized !== 'ephemeral';
  return node.resource_type === 'source' || node.resource_type === 'seed';
}

export function storesFailures(node: TestNode): boolean {
  return node.config.store_failures === true && node.config.store_failures_as !== 'ephemeral';
}

/**
 * @param seedColumns the columns of a seed, which only its file tells
 * @throws SegError SEG403 when a maintained model reads a relation that no node makes, SEG404 for a function that
 *   cannot be maintained
 */
export function specOf(
  project: Project,
  index: RelationIndex,
  node: RelationNode | TestNode,
  seedColumns: readonly { name: string; type: string }[] = [],
): NodeSpec {
  const kind = kindOf(node);
  const label = `${node.resource_type} "${node.name}"`;
  const definition = 'compiled_code' in node ? node.compiled_code : null;
  const sourceMap = project.sourceMaps.get(node.unique_id) ?? null;
  const key = keyOf(node);
  const declared = declaredColumns(node, key, seedColumns);
  const reads = new Set<string>();
  const foreign: string[] = [];
  if (definition !== null) {
    const names = namesInQuery(definition);
    for (const { schema, name, offset } of names.relations) {
      const id = schema === null ? undefined : index.get(relationKey(schema, name));
      if (id !== undefined) {
        reads.add(id);
        continue;
      }
      const text = schema === null ? name : `${schema}.${name}`;
      if (kind === 'materialized_view') {
        throw segError(
          'SEG403',
          `${label} reads "${text}", which is no model, seed or source of this project`,
          {
            at: sourceMap?.locate(offset, name.length) ?? node.at,
            hint: 'A maintained model is kept right by triggers on what it reads: declare the table as a source and read it with source(), or materialize the model as "view".',
          },
        );
      }
      foreign.push(text);
    }
    if (kind === 'materialized_view')
      checkFunctions(names.functions, { label, sql: definition, sourceMap, at: node.at });
  }
  const indexes = node.resource_type === 'model' ? indexesOf(node.config['indexes'] ?? null) : [];
  const keepChanges = node.resource_type === 'model' && node.config.changelog;
  const settings = {
    label,
    maintenance: node.resource_type === 'model' ? node.config.maintenance : 'auto',
    indexes: indexes as unknown as JsonValue,
    ...(kind === 'existing' && node.resource_type === 'source' ? { install: [...node.config.install] } : {}),
  };
  const content = {
    kind,
    schema: node.schema,
    relation: relationOf(node),
    definition,
    declared,
    key,
    settings,
  };
  return {
    uniqueId: node.unique_id,
    name: node.name,
    label,
    kind,
    schema: node.schema,
    relation: relationOf(node),
    definition,
    sourceMap,
    declared,
    key,
    indexes,
    keepChanges,
    reads: [...reads],
    foreign,
    settings: {
      ...settings,
      file: node.original_file_path,
      ...(kind === 'source' && node.resource_type === 'source' ? { [INTAKE]: intakeOf(node) } : {}),
    },
    fingerprint: createHash('sha256')
      .update(JSON.stringify({ ...content, keepChanges }))
      .digest('hex')
      .slice(0, 32),
    at: node.at,
  };
}

function kindOf(node: RelationNode | TestNode): NodeKind {
  switch (node.resource_type) {
    case 'source':
      return node.config.existing ? 'existing' : 'source';
    case 'seed':
      return 'seed';
    case 'test':
      return node.config.store_failures_as === 'view' || node.config.store_failures_as === 'table'
        ? node.config.store_failures_as
        : 'materialized_view';
    case 'model':
      if (node.config.materialized === 'ephemeral' || node.config.materialized === 'sink')
        throw new Error('invariant: neither an ephemeral model nor a sink is a relation');
      return node.config.materialized;
  }
}

function keyOf(node: RelationNode | TestNode): string[] {
  if (node.resource_type === 'source') return node.key;
  if (node.resource_type === 'test') return [];
  const key = node.config.unique_key;
  return key === null ? [] : Array.isArray(key) ? key : [key];
}

function declaredColumns(
  node: RelationNode | TestNode,
  key: readonly string[],
  seedColumns: readonly { name: string; type: string }[],
): DeclaredColumn[] {
  if (node.resource_type === 'seed') {
    return seedColumns.map(({ name, type }) => ({ name, type, notNull: false, generated: undefined }));
  }
  if (node.resource_type !== 'source') return [];
  return valuesOf(node.columns).map((column) => ({
    name: column.name,
    type:
      column.data_type ??
      (column.generated === 'position' ? 'bigint' : column.generated ? 'timestamptz' : 'text'),
    notNull: column.not_null === true || key.includes(column.name),
    generated: column.generated,
    ...(node.config.existing && column.data_type == null ? { typed: false as const } : {}),
  }));
}

function indexesOf(value: JsonValue): IndexConfig[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry) => {
    if (entry === null || typeof entry !== 'object' || Array.isArray(entry)) return [];
    const { columns, unique, type } = entry as { columns?: string[]; unique?: boolean; type?: string };
    return columns === undefined ? [] : [{ columns, unique, type }];
  });
}

function isRelation(node: GraphNode): node is RelationNode | TestNode {
  return (
    node.resource_type === 'model' ||
    node.resource_type === 'seed' ||
    node.resource_type === 'source' ||
    node.resource_type === 'test'
  );
}

/** The relation's bare name: a source's identifier, other nodes' alias. */
export function relationOf(node: RelationNode | TestNode): string {
  return node.resource_type === 'source' ? node.identifier : node.alias;
}

function relationKey(schema: string, name: string): string {
  return JSON.stringify([schema, name]);
}
