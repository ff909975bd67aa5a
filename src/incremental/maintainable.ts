/** What a maintained model may not contain, with the place and the remedy. */
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { Connection } from '../engines/connection.ts';
import type { UnstableCall } from '../engines/lasting.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { columnOffset, fleetingSyntax } from '../sql/fleeting.ts';
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

const mending: Readonly<Record<UnstableCall['kind'], { readonly fault: string; readonly hint: string }>> = {
  time: {
    fault: 'and a maintained row would not change when time passes',
    hint: "Write {{ now() }}: the project's clock, which moves maintained rows when it moves.",
  },
  volatile: {
    fault: 'so it has no answer that could be kept up to date',
    hint: 'Compute the value where the record is made, or materialize the model as "view" or "table". A function of your own whose answer depends on its arguments alone may be declared IMMUTABLE.',
  },
  session: {
    fault: 'whose answer depends on who asks, and a maintained row is the same for everybody',
    hint: 'Write the value into the record where it is made, or materialize the model as "view".',
  },
  reads: {
    fault: 'whose changes would not be followed',
    hint: 'Read the table in the query itself: join it, or write a subquery.',
  },
  place: {
    fault: 'which tells where the row lies, and changes when the table is rewritten',
    hint: 'Use a key of the table.',
  },
  sample: {
    fault: 'which draws other rows each time',
    hint: 'Write REPEATABLE (1): the same rows are then drawn until the table changes.',
  },
  lock: {
    fault: 'and a maintained relation only reads',
    hint: 'Leave the locking clause out.',
  },
};

const verbs: Readonly<Record<UnstableCall['kind'], string>> = {
  time: 'calls',
  volatile: 'calls the volatile function',
  session: 'calls',
  reads: 'calls the function',
  place: 'reads the system column',
  sample: 'has a',
  lock: 'says',
};

/** Where in the query it stands; undefined when it comes through a plain view, or the query does not name it. */
export function placeOfUnstable(sql: string, { name, kind, text }: UnstableCall): number | undefined {
  if (kind === 'place') return columnOffset(sql, name);
  const called = namesInQuery(sql).functions.find((call) => call.name === name);
  return called?.offset ?? fleetingSyntax(sql).find((found) => found.text === text)?.offset;
}

function unstable(call: UnstableCall, { label, sql, sourceMap, at }: Examined): Error {
  const { name, kind, via } = call;
  const text = call.reads === undefined ? call.text : `${call.text}, which reads ${call.reads}`;
  const offset = placeOfUnstable(sql, call);
  const through = via === null ? '' : ` through the view "${via}"`;
  const { fault, hint } = mending[kind];
  const verb = text.startsWith("'") ? 'reads the literal' : verbs[kind];
  return segError('SEG404', `${label} ${verb} ${text}${through}, ${fault}`, {
    at: (offset === undefined ? undefined : sourceMap?.locate(offset, name.length)) ?? at,
    hint,
  });
}

/**
 * @param from an item of FROM with exactly the query's columns
 * @throws SegError SEG405 for a column whose values cannot be compared, SEG406 for a name that is seg's
 */
export async function checkColumns(
  tx: Connection,
  from: string,
  columns: readonly { readonly name: string; readonly type: string }[],
  { label, at }: Pick<Examined, 'label' | 'at'>,
): Promise<void> {
  for (const { name } of columns) {
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
