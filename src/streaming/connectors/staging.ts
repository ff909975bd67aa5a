/** JSON records as typed rows: the view that bears a source's name, and the one with the records that do not fit. */
import { planSource } from '../../connectors/source-plan.ts';
import type { SourceColumn } from '../../connectors/source-plan.ts';
import { parseDataType } from '../../connectors/data-type.ts';
import type { SourceNode } from '../../project/nodes.ts';
import { quoteIdentifier, quoteText } from '../../sql/quote.ts';
import type { Dialect } from '../dialect.ts';
import { guardedCast } from './guarded-cast.ts';
import { keysOf, valuesOf } from '../../json/member-order.ts';

export interface RawRecords {
  /** Quoted name of the relation that the connector fills. */
  readonly from: string;
  /** SQL of the whole record as jsonb. */
  readonly record: string;
  /** SQL of a bigint that grows with arrival within a key; undefined when the connector tells none. */
  readonly position?: string;
  /** SQL of a timestamptz: when the record arrived. */
  readonly receivedAt?: string;
  /** A column of the source whose greater value is the later record. */
  readonly orderBy?: string;
}

/**
 * The query of the typed view. Records that do not fit are left out (`rejectedQuery` has them); with a key there is one row for
 * each, the first that arrived, or with `on_conflict: upsert` the last.
 * @throws UnsupportedType, SegError SEG502, SEG503
 */
export function stagingQuery(dialect: Dialect, source: SourceNode, raw: RawRecords): string {
  const typed = typedQuery(dialect, source, raw);
  const names = keysOf(source.columns).map(quoteIdentifier);
  const fits = `SELECT ${[...names, ...orderColumns(source, raw)].join(', ')}\nFROM (${typed}) AS typed\nWHERE _seg_problem IS NULL`;
  const { key } = source;
  if (key.length === 0) return `SELECT ${names.join(', ')}\nFROM (${fits}) AS fitting`;
  const keys = key.map(quoteIdentifier).join(', ');
  const last = source.config.on_conflict === 'upsert' ? ' DESC' : '';
  const order = [
    ...(raw.orderBy === undefined ? [] : [`${quoteIdentifier(raw.orderBy)}${last}`]),
    ...(raw.position === undefined ? [] : [`_seg_order${last}`]),
    // Nothing else tells copies apart: the same one is taken always.
    `_seg_text${last}`,
  ].join(', ');
  // The form that both engines keep as one row a group.
  return dialect.engine === 'materialize'
    ? `SELECT DISTINCT ON (${keys}) ${names.join(', ')}\nFROM (${fits}) AS fitting\nORDER BY ${keys}, ${order}`
    : `SELECT ${names.join(', ')}\nFROM (SELECT *, row_number() OVER (PARTITION BY ${keys} ORDER BY ${order}) AS _seg_row\n  FROM (${fits}) AS fitting) AS numbered\nWHERE _seg_row = 1`;
}

/** The query of `<source>__rejected`: the record, and what was wrong with it. */
export function rejectedQuery(dialect: Dialect, source: SourceNode, raw: RawRecords): string {
  const text = dialect.columnType('text');
  const at = raw.receivedAt ?? `NULL::${dialect.columnType('timestamptz')}`;
  const line = raw.position ?? `NULL::${dialect.columnType('bigint')}`;
  return `SELECT _seg_at AS rejected_at, 'connector'::${text} AS origin, _seg_line AS line, _seg_problem AS reason, _seg_text AS payload
FROM (${typedQuery(dialect, source, raw, [`${at} AS _seg_at`, `${line} AS _seg_line`])}) AS typed
WHERE _seg_problem IS NOT NULL`;
}

/** Every record with its columns as typed values, and the first problem with it. */
function typedQuery(
  dialect: Dialect,
  source: SourceNode,
  raw: RawRecords,
  more: readonly string[] = [],
): string {
  const plan = planSource(source);
  const byName = new Map(plan.columns.map((column) => [column.name, column]));
  const text = dialect.columnType('text');
  const selected = valuesOf(source.columns).map((column) => {
    const as = ` AS ${quoteIdentifier(column.name)}`;
    const planned = byName.get(column.name);
    if (planned !== undefined) return valueOf(dialect, planned, raw.record) + as;
    const type = dialect.columnType(
      column.data_type ?? (column.generated === 'position' ? 'bigint' : 'timestamptz'),
    );
    return `(${(column.generated === 'position' ? raw.position : raw.receivedAt) ?? 'NULL'})::${type}${as}`;
  });
  const problems = plan.columns.flatMap((column) => problemOf(dialect, column, raw.record));
  return `SELECT ${[
    ...selected,
    ...(raw.position === undefined ? [] : [`${raw.position} AS _seg_order`]),
    `(${raw.record})::${text} AS _seg_text`,
    ...more,
    problems.length === 0
      ? `NULL::${text} AS _seg_problem`
      : `CASE ${problems.join(' ')} END AS _seg_problem`,
  ].join(',\n    ')}\n  FROM ${raw.from}`;
}

function orderColumns(source: SourceNode, raw: RawRecords): string[] {
  if (source.key.length === 0) return [];
  return [...(raw.position === undefined ? [] : ['_seg_order']), '_seg_text'];
}

function valueOf(dialect: Dialect, column: SourceColumn, record: string): string {
  const type = dialect.columnType(column.declaredType);
  if (isJson(column)) return at(record, column.path, '->');
  return guardedCast(at(record, column.path, '->>'), column.declaredType, type);
}

/** WHEN branches that name what is wrong with a column. */
function problemOf(dialect: Dialect, column: SourceColumn, record: string): string[] {
  const text = at(record, column.path, '->>');
  const say = (what: string): string => quoteText(`${what} at ${column.field}`);
  const missing = column.required ? [`WHEN ${text} IS NULL THEN ${say('missing value')}`] : [];
  const { base } = parseDataType(column.declaredType);
  const anyText =
    isJson(column) || ['text', 'character varying', 'character', 'citext', 'name'].includes(base);
  if (anyText) return missing;
  return [
    ...missing,
    `WHEN ${text} IS NOT NULL AND ${valueOf(dialect, column, record)} IS NULL THEN ${say(`expected ${base}`)}`,
  ];
}

function isJson({ declaredType }: SourceColumn): boolean {
  return ['json', 'jsonb'].includes(parseDataType(declaredType).base);
}

/** The value at a path: `(record) -> 'a' -> 0 ->> 'b'`; the whole record for an empty one. */
function at(record: string, path: readonly string[], last: '->' | '->>'): string {
  if (path.length === 0) return last === '->' ? record : `(${record})::varchar`;
  const steps = path.map((step, i) => {
    const arrow = i === path.length - 1 ? last : '->';
    return ` ${arrow} ${/^(0|[1-9][0-9]{0,8})$/.test(step) ? step : quoteText(step)}`;
  });
  return `(${record}${steps.join('')})`;
}
