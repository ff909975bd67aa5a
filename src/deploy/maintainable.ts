/** What a maintained model may not contain, with the place and the remedy. */
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { NamedFunction } from '../sql/relations.ts';
import type { DeployedColumn } from '../state/nodes.ts';

/** Functions whose answer depends on when they are called: a stored answer would silently grow old. */
const timeFunctions = new Set([
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

/** Functions that answer differently at each call. */
const volatileFunctions = new Set([
  'random',
  'random_normal',
  'gen_random_uuid',
  'uuidv4',
  'uuidv7',
  'nextval',
  'currval',
  'lastval',
  'setval',
  'setseed',
  'txid_current',
  'pg_current_xact_id',
  'pg_sleep',
]);

/** @throws SegError SEG404 at the first call of a function that cannot be maintained. */
export function checkFunctions(
  functions: readonly NamedFunction[],
  label: string,
  sourceMap: SourceMap | null,
  at: Location,
): void {
  for (const { schema, name, offset } of functions) {
    if (schema !== null && schema !== 'pg_catalog') continue;
    const place = sourceMap?.locate(offset, name.length) ?? at;
    if (timeFunctions.has(name)) {
      throw segError(
        'SEG404',
        `${label} calls ${name}(), and a maintained row would not change when time passes`,
        {
          at: place,
          hint: "Write {{ now() }}: the project's clock, which moves maintained rows when it moves.",
        },
      );
    }
    if (volatileFunctions.has(name)) {
      throw segError(
        'SEG404',
        `${label} calls the volatile function ${name}(), so it has no answer that could be kept up to date`,
        {
          at: place,
          hint: 'Compute the value where the record is made, or materialize the model as "view" or "table".',
        },
      );
    }
  }
}

const withoutEquality = /^(json|xml|point|line|lseg|box|path|polygon|circle)(\[\])*$/;

/** @throws SegError SEG405 when a column's type has no equality, so that rows cannot be compared. */
export function checkColumns(columns: readonly DeployedColumn[], label: string, at: Location): void {
  for (const { name, type } of columns) {
    if (withoutEquality.test(type)) {
      throw segError(
        'SEG405',
        `column "${name}" of ${label} has type ${type}, whose values cannot be compared`,
        {
          at,
          hint: type.startsWith('json')
            ? 'Use jsonb.'
            : `Cast it, for example to text, or to jsonb where that fits.`,
        },
      );
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
}
