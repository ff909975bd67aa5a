/** The nodes of a source: a table that seg writes into, or what its connector is made of. */
import type { Project } from '../../project/load.ts';
import type { SourceNode } from '../../project/nodes.ts';
import type { RelationName } from '../../ivm/catalog.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { desiredNode, fingerprintOf, rejectedColumns, rejectedRelation } from '../desired-node.ts';
import type { DesiredNode } from '../desired-node.ts';
import { UnsupportedType } from '../dialect.ts';
import type { ConnectorText, Dialect, ObjectKind } from '../dialect.ts';
import { materializeConnector } from './materialize-connectors.ts';
import type { ConnectorObjects, RawObject } from './raw-object.ts';
import { risingwaveConnector } from './risingwave-connectors.ts';
import { connectorSettings } from './settings.ts';
import type { ConnectorOwner, ConnectorSettings } from './settings.ts';
import { rejectedQuery, stagingQuery } from './staging.ts';
import type { RawRecords } from './staging.ts';
import { keysOf, valuesOf } from '../../json/member-order.ts';

/**
 * @param dry without a connection: the environment is not read
 * @throws SegError SEG408, SEG440 for what the engine cannot, SEG230 for a missing environment variable
 */
export function sourceNodes(
  project: Project,
  dialect: Dialect,
  source: SourceNode,
  dry = false,
): DesiredNode[] {
  if (source.connector === null) return tableNodes(project, dialect, source);
  const label = `source "${source.source_name}.${source.name}"`;
  const owner: ConnectorOwner = {
    label,
    at: source.at,
    packageName: source.package_name,
    connector: source.connector,
    of: 'source',
  };
  const settings = connectorSettings(project, owner, dry);
  const relation = { schema: source.schema, name: source.identifier };
  try {
    const cluster = settings.text('cluster') ?? clusterOf(source, project);
    const found =
      dialect.engine === 'risingwave'
        ? risingwaveConnector(source, relation, settings, owner)
        : materializeConnector(source, relation, settings, owner, cluster);
    return [
      ...rawNodes(source, label, found.objects, settings.secrets),
      ...rowNodes(project, dialect, source, relation, owner, found, settings),
    ];
  } catch (error) {
    if (!(error instanceof UnsupportedType)) throw error;
    throw segError(
      'SEG408',
      `${label} has a column of type "${error.declared}", which ${dialect.title} cannot take out of its records`,
      {
        at: source.at,
        hint: `Declare it as ${error.instead}.`,
      },
    );
  }
}

function clusterOf(source: SourceNode, project: Pick<Project, 'target'>): string | undefined {
  const own = source.config['cluster'] ?? project.target.fields['cluster'];
  return typeof own === 'string' && own !== '' ? own : undefined;
}

/** What seg ingests into, and the table for records it refuses. */
function tableNodes(project: Project, dialect: Dialect, source: SourceNode): DesiredNode[] {
  const table = desiredNode(project, dialect, source);
  return [
    table,
    {
      ...table,
      uniqueId: `${table.uniqueId}.rejected`,
      label: `the dead letters of ${table.label}`,
      relation: rejectedRelation(table.relation),
      columns: rejectedColumns(),
      key: [],
      fingerprint: 'rejected 1',
    },
  ];
}

export function rawNodes(
  of: Pick<SourceNode, 'unique_id' | 'at'>,
  label: string,
  objects: readonly RawObject[],
  secrets: ReadonlyMap<string, string>,
): DesiredNode[] {
  const idOf = (suffix: string): string => (suffix === '' ? of.unique_id : `${of.unique_id}.${suffix}`);
  return objects.map((object) => {
    const used = new Map(
      [...secrets].filter(([name]) => JSON.stringify(object.text).includes(`{{seg secret ${name}}}`)),
    );
    return {
      ...nodeOf(
        of,
        object.kind,
        object.relation,
        object.suffix === '' ? label : `the ${object.suffix} of ${label}`,
      ),
      uniqueId: idOf(object.suffix),
      reads: object.reads.map(idOf),
      connector: object.text,
      secrets: used,
      fingerprint: fingerprintOf({
        kind: object.kind,
        relation: object.relation,
        text: object.text satisfies ConnectorText,
      }),
    };
  });
}

function rowNodes(
  project: Project,
  dialect: Dialect,
  source: SourceNode,
  relation: RelationName,
  owner: ConnectorOwner,
  { rows }: ConnectorObjects,
  settings: ConnectorSettings,
): DesiredNode[] {
  const raw = `${source.unique_id}.raw`;
  if (rows.kind === 'typed')
    return rows.query === null ? [] : [view(source, relation, owner.label, 'view', rows.query, raw)];
  requireOrder(source, owner, rows.raw);
  const kind = source.key.length > 0 ? 'materialized_view' : 'view';
  const cluster = settings.text('cluster') ?? clusterOf(source, project);
  return [
    {
      ...view(source, relation, owner.label, kind, stagingQuery(dialect, source, rows.raw), raw),
      ...(cluster === undefined || dialect.engine === 'risingwave' ? {} : { cluster }),
    },
    {
      ...view(
        source,
        rejectedRelation(relation),
        `the rejected records of ${owner.label}`,
        'view',
        rejectedQuery(dialect, source, rows.raw),
        raw,
      ),
      uniqueId: `${source.unique_id}.rejected`,
    },
  ];
}

/** @throws SegError SEG440 when the last record of a key, or arrival, is asked for and nothing tells it */
function requireOrder(source: SourceNode, owner: ConnectorOwner, raw: RawRecords): void {
  const refuse = (what: string, hint: string): never => {
    throw segError('SEG440', `${owner.label} ${what}, which its connector does not tell`, {
      at: source.at,
      hint,
    });
  };
  if (raw.orderBy !== undefined && !Object.hasOwn(source.columns, raw.orderBy)) {
    throw segError(
      'SEG440',
      `unknown column "${raw.orderBy}" in order_by of the connector of ${owner.label}`,
      {
        at: source.at,
        hint: `Its columns: ${keysOf(source.columns).join(', ')}.`,
      },
    );
  }
  if (source.config.on_conflict === 'upsert' && raw.orderBy === undefined && raw.position === undefined)
    refuse(
      'lets the last record of a key win',
      'Add "order_by:" to the connector: a column whose greater value is the later record.',
    );
  for (const { name, generated } of valuesOf(source.columns)) {
    const missing =
      (generated === 'position' && raw.position === undefined) ||
      (generated === 'received_at' && raw.receivedAt === undefined);
    if (missing)
      refuse(
        `has a column "${name}" of arrival`,
        'Only Kafka tells it: take a column of the record instead.',
      );
  }
}

function view(
  source: SourceNode,
  relation: RelationName,
  label: string,
  kind: 'view' | 'materialized_view',
  definition: string,
  raw: string,
): DesiredNode {
  return {
    ...nodeOf(source, kind, relation, label),
    uniqueId: source.unique_id,
    reads: [raw],
    definition,
    fingerprint: fingerprintOf({ kind, relation, definition }),
  };
}

function nodeOf(
  of: Pick<SourceNode, 'unique_id' | 'at'>,
  kind: ObjectKind,
  relation: RelationName,
  label: string,
): DesiredNode {
  return {
    uniqueId: of.unique_id,
    name: relation.name,
    label,
    kind,
    relation,
    reads: [],
    definition: null,
    sourceMap: null,
    columns: [],
    key: [],
    onConflict: 'last',
    indexes: [],
    fingerprint: '',
    at: of.at,
  };
}
