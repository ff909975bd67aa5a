/** What a maintained model may not contain, with the place and the remedy. */
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { Connection } from '../engines/connection.ts';
import type { UnstableCall } from '../engines/lasting.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { namesInQuery } from '../sql/relations.ts';
import type { NamedFunction } from '../sql/relations.ts';
import { canCompare } from './comparable.ts';

/** What is refused: `label` as in `model "x"`, its SQL, and where that was written. */
export interface Examined {
  readonly label: string;
  readonly sql: string;
  readonly sourceMap: SourceMap | null;
  readonly at: Location;
}

/** Refused without a database: the words for the time, which no one means to be stored. */
const timeWords = new Set([
  'now',
  'current_timestamp',
  'current_date',
  'current_time',
  'localtimestamp',
  'localtime',
  'transaction_timestamp',
  'statement_timestamp',
  'clock_timestamp',
  'timeofday',
]);

/** @throws SegError SEG404 at the first call that reads the time of the statement instead of the project's clock */
export function checkFunctions(functions: readonly NamedFunction[], examined: Examined): void {
  for (const { schema, name } of functions) {
    if ((schema === null || schema === 'pg_catalog') && timeWords.has(name)) {
      throw unstable({ name, text: `${name}()`, kind: 'time', via: null }, examined);
    }
  }
}

/** @throws SegError SEG404 at the first call that the catalog calls volatile, through plain views and wrappers too */
export function checkCalls(calls: readonly UnstableCall[], examined: Examined): void {
  if (calls[0] !== undefined) throw unstable(calls[0], examined);
}

function unstable({ name, text, kind, via }: UnstableCall, { label, sql, sourceMap, at }: Examined): Error {
  const call = namesInQuery(sql).functions.find((called) => called.name === name);
  const through = via === null ? '' : ` through the view "${via}"`;
  return kind === 'time'
    ? segError(
        'SEG404',
        `${label} calls ${text}${through}, and a maintained row would not change when time passes`,
        {
          at: (call && sourceMap?.locate(call.offset, name.length)) ?? at,
          hint: "Write {{ now() }}: the project's clock, which moves maintained rows when it moves.",
        },
      )
    : segError(
        'SEG404',
        `${label} calls the volatile function ${text}${through}, so it has no answer that could be kept up to date`,
        {
          at: (call && sourceMap?.locate(call.offset, name.length)) ?? at,
          hint: 'Compute the value where the record is made, or materialize the model as "view" or "table". A function of your own whose answer depends on its arguments alone may be declared IMMUTABLE.',
        },
      );
}

/**
 * @param from an item of FROM with exactly the query's columns
 * @throws SegError SEG405 for a column whose values cannot be compared, SEG406 for a name that is seg's, SEG418 for none
 */
export async function checkColumns(
  tx: Connection,
  from: string,
  columns: readonly { readonly name: string; readonly type: string }[],
  { label, at }: Pick<Examined, 'label' | 'at'>,
): Promise<void> {
  for (const [i, { name }] of columns.entries()) {
    if (name === '?column?') {
      throw segError('SEG418', `column ${i + 1} of ${label} has no name`, {
        at,
        hint: 'Name it: select ... as name.',
      });
    }
    if (name.startsWith('_seg_')) {
      throw segError(
        'SEG406',
        `column "${name}" of ${label} begins with "_seg_", which seg keeps for itself`,
        {
          at,
          hint: 'Give the column another name.',
        },
      );
    }
  }
  if (await canCompare(tx, from, columns)) return;
  for (const column of columns) {
    if (await canCompare(tx, from, [column])) continue;
    const { name, type } = column;
    throw segError(
      'SEG405',
      `column "${name}" of ${label} has type ${type}, whose values cannot be compared`,
      {
        at,
        hint: type.startsWith('json')
          ? `Use jsonb: ${quoteIdentifier(name)}::jsonb.`
          : `Cast it, for example to text, or to jsonb where that fits.`,
      },
    );
  }
}
