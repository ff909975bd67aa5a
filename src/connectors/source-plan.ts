import type { ColumnInfo, SourceNode } from '../project/nodes.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { rejectedTable } from '../deploy/ddl.ts';
import { quoteRelation } from '../sql/quote.ts';
import { parseDataType, type DataType } from './data-type.ts';
import { parsePath, type RecordPath } from './map-record.ts';
import { valuesOf } from '../json/member-order.ts';

/** One column that a record fills. Generated columns are left to the table's defaults. */
export interface SourceColumn {
  readonly name: string;
  /** As declared, for casts. */
  readonly declaredType: string;
  readonly type: DataType;
  /** As written: also the name of the CSV field. */
  readonly field: string;
  readonly path: RecordPath;
  readonly required: boolean;
}

/** What ingestion needs to know of a source, worked out once. */
export interface SourcePlan {
  readonly source: SourceNode;
  /** `segment.segment_events`, for messages. */
  readonly name: string;
  /** Quoted relation names. */
  readonly table: string;
  readonly rejectedTable: string;
  readonly columns: readonly SourceColumn[];
  /** Positions in `columns` of the key; empty when every record counts. */
  readonly key: readonly number[];
  /** Names of the generated columns, which an upsert renews: the record has arrived anew. */
  readonly generated: readonly string[];
  readonly onConflict: 'append' | 'upsert';
  readonly onError: 'fail' | 'quarantine';
}

/**
 * Throws SEG502 (no columns, or a key that no record fills), SEG503 (a path that cannot be read) or SEG520 (a table of somebody
 * else's).
 */
export function planSource(source: SourceNode): SourcePlan {
  const name = `${source.source_name}.${source.name}`;
  if (source.config.existing) {
    throw segError('SEG520', `source "${name}" is declared as existing: seg does not write into it`, {
      at: source.at,
      hint: 'Its own connector fills it, or whoever made it.',
    });
  }
  const declared = valuesOf(source.columns);
  const key = source.key ?? [];
  const columns = declared
    .filter((column) => column.generated === undefined)
    .map((column) => planColumn(source, name, column, key.includes(column.name)));
  const positions = key.map((wanted) => columns.findIndex((column) => column.name === wanted));
  const missing = key.filter((_, i) => positions[i] === -1);
  if (missing.length > 0 || columns.length === 0) {
    const message =
      columns.length === 0
        ? `source "${name}" declares no columns`
        : `the key of source "${name}" names ${missing.map((column) => `"${column}"`).join(', ')}, which no record fills`;
    throw segError('SEG502', message, {
      at: source.at,
      hint: 'Declare the columns under columns: in the property file; a key column cannot be generated.',
    });
  }
  return {
    source,
    name,
    table: quoteRelation({ schema: source.schema, name: source.identifier }),
    rejectedTable: quoteRelation(rejectedTable({ schema: source.schema, relation: source.identifier })),
    columns,
    key: positions,
    generated: declared.filter((column) => column.generated !== undefined).map((column) => column.name),
    onConflict: source.config.on_conflict === 'upsert' ? 'upsert' : 'append',
    onError: source.config.on_error,
  };
}

function planColumn(
  source: SourceNode,
  sourceName: string,
  column: ColumnInfo,
  isKey: boolean,
): SourceColumn {
  const field = column.path ?? column.name;
  let path: RecordPath;
  try {
    // A name is one step whatever it holds; only a declared path is read as one.
    path = column.path === undefined ? [column.name] : parsePath(column.path);
  } catch (error) {
    throw segError(
      'SEG503',
      `column "${column.name}" of source "${sourceName}": ${(error as Error).message}`,
      {
        at: source.at,
        hint: 'Write a path as a.b.c, quote a step that holds a dot or a bracket (a."b.c"), or use $ for the whole record.',
      },
    );
  }
  return {
    name: column.name,
    declaredType: column.data_type ?? 'text',
    type: parseDataType(column.data_type),
    field,
    path,
    required: isKey || column.not_null === true,
  };
}
