/** RisingWave 2.2 and newer. */
import type { RelationName } from '../ivm/catalog.ts';
import { quoteIdentifier, quoteText, quoteRelation } from '../sql/quote.ts';
import { shortName } from '../sql/short-name.ts';
import { risingwaveType } from './data-types.ts';
import type { Dialect, ObjectKind } from './dialect.ts';

const words: Readonly<Record<ObjectKind, string>> = {
  table: 'TABLE',
  view: 'VIEW',
  materialized_view: 'MATERIALIZED VIEW',
  subscription: 'SUBSCRIPTION',
  sink: 'SINK',
  source: 'SOURCE',
  secret: 'SECRET',
  connection: 'CONNECTION',
};

/** The relation types of rw_catalog.rw_relations. */
const kinds: Readonly<Record<string, ObjectKind>> = {
  table: 'table',
  view: 'view',
  'materialized view': 'materialized_view',
  subscription: 'subscription',
  sink: 'sink',
  source: 'source',
};

/** How long a subscription keeps the changes. */
const RETAINED = '1 day';

const list = (columns: readonly string[]): string => columns.map(quoteIdentifier).join(', ');

export const risingwave: Dialect = {
  engine: 'risingwave',
  title: 'RisingWave',
  columnType: risingwaveType,
  createSchema: (schema) => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`,

  createTable({ name, columns, key, onConflict }) {
    // NOT NULL is left out: releases before 2.4 refuse it. What seg ingests is checked before it is written.
    const definitions = columns.map(
      (column) => `${quoteIdentifier(column.name)} ${risingwaveType(column.type)}`,
    );
    // Without a key RisingWave numbers the rows itself, in a hidden column.
    if (key.length > 0) definitions.push(`PRIMARY KEY (${list(key)})`);
    const conflict =
      key.length === 0 ? '' : onConflict === 'first' ? ' ON CONFLICT DO NOTHING' : ' ON CONFLICT OVERWRITE';
    return [`CREATE TABLE ${quoteRelation(name)} (\n  ${definitions.join(',\n  ')}\n)${conflict}`];
  },

  createModel: ({ name, kind, query }) => `CREATE ${words[kind]} ${quoteRelation(name)} AS\n${query}`,

  createIndexes: ({ name, kind, indexes }) =>
    kind === 'view'
      ? []
      : indexes.map(
          (columns) =>
            `CREATE INDEX ${quoteIdentifier(shortName(`${name.name}_${columns.join('_')}_idx`))} ON ${quoteRelation(name)} (${list(columns)})`,
        ),

  objectsOf: ({ kind, relation }) => [{ ...relation, kind }],

  createWords: (kind, name) => `CREATE ${words[kind]} ${quoteRelation(name)} `,

  connectorOptions: (options) =>
    Object.keys(options).length === 0
      ? ''
      : `(\n  ${Object.entries(options)
          .map(([name, sql]) => `${name} = ${sql}`)
          .join(',\n  ')}\n)`,

  /** Since 2.6, and only what concerns the connection (connector/src/allow_alter_on_fly_fields). */
  alterConnector(kind, name, { set, reset }) {
    const names = Object.keys(set);
    if (reset.length > 0 || !names.every((option) => /^properties\./.test(option))) return null;
    const options = Object.entries(set).map(([option, sql]) => `${option} = ${sql}`);
    return [`ALTER ${words[kind]} ${quoteRelation(name)} CONNECTOR WITH (${options.join(', ')})`];
  },

  alterSecret: () => null,

  alterRetention: (kind, relation, retention) =>
    kind === 'subscription'
      ? `ALTER SUBSCRIPTION ${quoteRelation(relation)} SET RETENTION = ${quoteText(retention ?? RETAINED)}`
      : null,

  turnSink: () => null,

  retention: RETAINED,

  createSubscription: (name, of) => `CREATE SUBSCRIPTION ${quoteRelation(name)} ${of}`,

  clock: `SELECT (extract(epoch FROM now()) * 1000)::bigint AS ms`,

  addColumn: (table, { name, type }) =>
    `ALTER TABLE ${quoteRelation(table)} ADD COLUMN ${quoteIdentifier(name)} ${risingwaveType(type)}`,

  drop: (kind, name) => `DROP ${words[kind]} IF EXISTS ${quoteRelation(name)}`,

  /** Each statement is a change of names alone; there is no transaction around several. */
  exchange: (pairs) =>
    pairs.flatMap(({ standing, next }) => {
      if (standing.kind === next.kind) {
        return [`ALTER ${words[next.kind]} ${quoteRelation(standing)} SWAP WITH ${quoteRelation(next)}`];
      }
      // A view that becomes a materialized view: only objects of one kind can swap.
      const aside = { schema: standing.schema, name: shortName(`${next.name}_aside`) };
      const rename = (kind: ObjectKind, from: RelationName, to: RelationName): string =>
        `ALTER ${words[kind]} ${quoteRelation(from)} RENAME TO ${quoteIdentifier(to.name)}`;
      return [
        rename(standing.kind, standing, aside),
        rename(next.kind, next, standing),
        rename(standing.kind, aside, next),
      ];
    }),

  exchangesAtOnce: false,

  flush: 'FLUSH',

  objectsIn: (schema) =>
    `SELECT r.name AS name, CASE ${Object.entries(kinds)
      .map(([type, kind]) => `WHEN r.relation_type = ${quoteText(type)} THEN ${quoteText(kind)}`)
      .join(' ')} ELSE 'other' END AS kind
FROM rw_catalog.rw_relations AS r JOIN rw_catalog.rw_schemas AS s ON s.id = r.schema_id
WHERE s.name = ${quoteText(schema)} AND r.relation_type <> 'index'`,

  columnsOf: ({ schema, name }) =>
    `SELECT c.name AS name, c.data_type AS type
FROM rw_catalog.rw_columns AS c
JOIN rw_catalog.rw_relations AS r ON r.id = c.relation_id
JOIN rw_catalog.rw_schemas AS s ON s.id = r.schema_id
WHERE s.name = ${quoteText(schema)} AND r.name = ${quoteText(name)} AND NOT c.is_hidden
ORDER BY c."position"`,

  /**
   * A view that is made in the background cannot be read until it is complete, on any release (e2e_test/background_ddl/basic.slt),
   * so reading it is the question. rw_ddl_progress cannot answer it: whether its row is there right after the
   * CREATE, and gone before the view can be read, is told nowhere.
   */
  readiness: (relation) =>
    `SELECT count(*) >= 0 AS ready FROM (SELECT 1 AS one FROM ${quoteRelation(relation)} LIMIT 1) AS probe`,

  /** Names under construction are unique, so that the statement tells which job it is. */
  progress: ({ name }) =>
    `SELECT progress FROM rw_catalog.rw_ddl_progress WHERE strpos(ddl_statement, ${quoteText(name)}) > 0`,
};
