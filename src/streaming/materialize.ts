/** Materialize (self-managed 25.2 and newer, cloud, emulator). */
import type { RelationName } from '../ivm/catalog.ts';
import { quoteIdentifier, quoteText, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { materializeType } from './data-types.ts';
import { subsource } from './connectors/raw-object.ts';
import type { Dialect, ObjectKind } from './dialect.ts';

const words: Readonly<Record<ObjectKind, string>> = {
  table: 'TABLE',
  view: 'VIEW',
  materialized_view: 'MATERIALIZED VIEW',
  subscription: 'VIEW',
  sink: 'SINK',
  source: 'SOURCE',
  secret: 'SECRET',
  connection: 'CONNECTION',
};

const list = (columns: readonly string[]): string => columns.map(quoteIdentifier).join(', ');

/** Where the records of a keyed source are appended; the source's own name is the view that shows one of each key. */
export function logTable({ schema, name }: RelationName): RelationName {
  return { schema, name: `${name}__log` };
}

/** The column that orders the log's records. */
export const LOG_POSITION = '_seg_position';

/**
 * How long a view's history is kept, which is how long a reader of its changes may be away. Without it a position is gone
 * after a second.
 */
const RETAINED = '1h';

export function materialize(cluster: string | undefined): Dialect {
  const inCluster = cluster === undefined ? '' : ` IN CLUSTER ${quoteIdentifier(cluster)}`;
  return {
    engine: 'materialize',
    title: 'Materialize',
    columnType: materializeType,
    createSchema: (schema) => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`,

    /** Materialize has no keys: a keyed table is a log of records, and a view of the first or last one of each key. */
    createTable({ name, columns, key, onConflict }) {
      const definitions = columns.map(
        (column) =>
          `${quoteIdentifier(column.name)} ${materializeType(column.type)}${column.notNull ? ' NOT NULL' : ''}`,
      );
      if (key.length === 0)
        return [
          `CREATE TABLE ${quoteRelation(name)} (\n  ${definitions.join(',\n  ')}\n) WITH (RETAIN HISTORY FOR ${quoteText(RETAINED)})`,
        ];
      const log = quoteRelation(logTable(name));
      const order = `${list(key)}, ${quoteIdentifier(LOG_POSITION)}${onConflict === 'last' ? ' DESC' : ''}`;
      return [
        `CREATE TABLE ${log} (\n  ${[...definitions, `${quoteIdentifier(LOG_POSITION)} bigint NOT NULL`].join(',\n  ')}\n)`,
        `CREATE MATERIALIZED VIEW ${quoteRelation(name)}${inCluster} WITH (RETAIN HISTORY FOR ${quoteText(RETAINED)}) AS
SELECT DISTINCT ON (${list(key)}) ${list(columns.map((column) => column.name))}
FROM ${log} ORDER BY ${order}`,
      ];
    },

    createModel: ({ name, kind, query, cluster: own, retention }) =>
      kind === 'view'
        ? `CREATE VIEW ${quoteRelation(name)} AS\n${query}`
        : `CREATE MATERIALIZED VIEW ${quoteRelation(name)}${own === undefined ? inCluster : ` IN CLUSTER ${quoteIdentifier(own)}`} WITH (RETAIN HISTORY FOR ${quoteText(retention ?? RETAINED)}) AS\n${query}`,

    createIndexes: ({ name, indexes, cluster: own }) =>
      indexes.map(
        (columns) =>
          `CREATE INDEX ${quoteIdentifier(shortName(`${name.name}_${columns.join('_')}_idx`))}${own === undefined ? inCluster : ` IN CLUSTER ${quoteIdentifier(own)}`} ON ${quoteRelation(name)} (${list(columns)})`,
      ),

    objectsOf: ({ kind, relation, key, connector }) =>
      kind === 'table' && key.length > 0 && connector === undefined
        ? [
            { ...relation, kind: 'materialized_view' },
            { ...logTable(relation), kind: 'table' },
          ]
        : [
            { ...relation, kind },
            ...(connector?.subsource === true ? [{ ...subsource(relation), kind: 'source' as const }] : []),
          ],

    createWords: (kind, name) => `CREATE ${words[kind]} ${quoteRelation(name)} `,

    connectorOptions: (options) =>
      Object.keys(options).length === 0
        ? ''
        : `(${Object.entries(options)
            .map(([name, sql]) => `${name} = ${sql}`)
            .join(', ')})`,

    alterConnector(kind, name, { set, reset }) {
      if (kind !== 'connection') return null;
      const changes = [
        ...Object.entries(set).map(([option, sql]) => `SET (${option} = ${sql})`),
        ...reset.map((option) => `RESET (${option})`),
      ];
      return [`ALTER CONNECTION ${quoteRelation(name)} ${changes.join(', ')}`];
    },

    alterSecret: (name, as) => `ALTER SECRET ${quoteRelation(name)} ${as}`,

    alterRetention: (kind, relation, retention) =>
      kind === 'materialized_view'
        ? `ALTER MATERIALIZED VIEW ${quoteRelation(relation)} SET (RETAIN HISTORY FOR ${quoteText(retention ?? RETAINED)})`
        : null,

    turnSink: (name, { from }) =>
      from === undefined ? null : `ALTER SINK ${quoteRelation(name)} SET FROM ${from}`,

    retention: RETAINED,

    createSubscription: () => null,

    // A view that is made anew keeps no history of the old one, and the engine says so.
    clock: null,

    addColumn: (table, { name, type }) =>
      `ALTER TABLE ${quoteRelation(table)} ADD COLUMN ${quoteIdentifier(name)} ${materializeType(type)}`,

    drop: (kind, name) => `DROP ${words[kind]} IF EXISTS ${quoteRelation(name)}`,

    /** Any number of renames may share a transaction, and it is atomic. */
    exchange(pairs) {
      const rename = (kind: ObjectKind, from: RelationName, to: string): string =>
        `ALTER ${words[kind]} ${quoteRelation(from)} RENAME TO ${quoteIdentifier(to)}`;
      return pairs.flatMap(({ standing, next }) => {
        const aside = { schema: standing.schema, name: shortName(`${next.name}_aside`) };
        return [
          rename(standing.kind, standing, aside.name),
          rename(next.kind, next, standing.name),
          rename(standing.kind, aside, next.name),
        ];
      });
    },

    exchangesAtOnce: true,

    flush: null,

    objectsIn: (schema) =>
      `SELECT o.name AS name, CASE o.type WHEN 'materialized-view' THEN 'materialized_view' ELSE o.type END AS kind
FROM mz_catalog.mz_objects AS o
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = ${quoteText(schema)} AND d.name = current_database() AND o.type <> 'index'`,

    columnsOf: ({ schema, name }) =>
      `SELECT c.name AS name, c.type AS type
FROM mz_catalog.mz_columns AS c
JOIN mz_catalog.mz_objects AS o ON o.id = c.id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = ${quoteText(schema)} AND o.name = ${quoteText(name)} AND d.name = current_database()
ORDER BY c.position`,

    /** One replica of the cluster is enough. A cluster without replicas shows no row, which is not "ready". */
    readiness: ({ schema, name }) =>
      `SELECT coalesce(bool_or(h.hydrated), false) AS ready
${hydrationOf(schema, name)}`,

    progress: ({ schema, name }) =>
      `SELECT CASE WHEN count(h.object_id) = 0 THEN 'no replica of its cluster works on it' ELSE 'hydrating' END AS progress
${hydrationOf(schema, name)}`,
  };
}

function hydrationOf(schema: string, name: string): string {
  return `FROM mz_internal.mz_hydration_statuses AS h
JOIN mz_catalog.mz_objects AS o ON o.id = h.object_id
JOIN mz_catalog.mz_schemas AS s ON s.id = o.schema_id
JOIN mz_catalog.mz_databases AS d ON d.id = s.database_id
WHERE s.name = ${quoteText(schema)} AND o.name = ${quoteText(name)} AND d.name = current_database()`;
}
