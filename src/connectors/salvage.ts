import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { BadRow, type BatchOutcome, type BatchWriter } from './batch-writer.ts';
import { ModelFailure, isModelError } from './model-failure.ts';
import type { RowValues } from './record-mapper.ts';

export interface Salvaged extends BatchOutcome {
  /** Rows the database refused, and its reasons. */
  readonly refused: ReadonlyMap<RowValues, string>;
}

/** SQLSTATE classes that a record's content can cause: data, constraints, limits, cardinality, RAISE. */
const OF_THE_DATA = new Set(['21', '22', '23', '54', 'P0']);
const HOPELESS_AFTER = 25;

/** SQLSTATE statement_too_complex. */
const TOO_DEEP = '54001';

/**
 * Whether the server, or the session at one, has ended over what a record holds, and with it the transaction: no savepoint is left to go
 * back to, and the record must be found by transactions of their own.
 */
export function hasEndedOver(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.fatal && error.sqlstate === TOO_DEEP;
}

/** May leaving a record out help? Everything else (a lost connection, a missing table) is no record's fault, or ends the transaction. */
export function isDataError(error: unknown): boolean {
  if (error instanceof BadRow) return true;
  return error instanceof DatabaseError && !error.fatal && OF_THE_DATA.has(error.sqlstate.slice(0, 2));
}

/**
 * Writes a batch of which some row does not fit: finds such rows by the server's word or by halving, leaves them out,
 * and keeps all others in their order. For few such rows that costs little more than writing the batch three times: each
 * is among the rows of one failing attempt of each size. Must run inside a transaction.
 * @param onError what becomes of a row on which a model fails: it is left out as others are, or nothing is written
 * @throws ModelFailure with the first row a model fails on, SegError SEG506 when a trigger of somebody else's fails on row
 *   after row: then the trigger is at fault, and putting the whole stream among the dead letters would help nobody
 */
export async function salvage(
  tx: Connection,
  writer: BatchWriter,
  rows: readonly RowValues[],
  onError: 'fail' | 'quarantine',
): Promise<Salvaged> {
  const refused = new Map<RowValues, string>();
  let accepted = 0;
  let duplicate = 0;
  let failures = 0;

  const attempt = async (part: readonly RowValues[]): Promise<void> => {
    if (part.length === 0) return;
    try {
      const outcome = await tx.transaction((inner) => writer.write(inner, part));
      accepted += outcome.accepted;
      duplicate += outcome.duplicate;
      failures = 0;
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (error instanceof BadRow) {
        const at = part.indexOf(error.row);
        refused.set(error.row, await reasonOf(tx, writer, error.row, error.cause));
        await attempt(part.slice(0, at));
        await attempt(part.slice(at + 1));
      } else if (part.length === 1) {
        const [row] = part as [RowValues];
        const cause = error as DatabaseError;
        if (onError === 'fail' && isModelError(cause)) throw new ModelFailure(row, cause);
        refused.set(row, await reasonOf(tx, writer, row, cause));
        failures++;
        if (failures >= HOPELESS_AFTER && inTrigger(cause)) throw hopeless(cause);
      } else {
        const middle = part.length >> 1;
        await attempt(part.slice(0, middle));
        await attempt(part.slice(middle));
      }
    }
  };
  await attempt(rows);
  return { accepted, duplicate, refused };
}

/** In a function that is not seg's. */
function inTrigger(error: DatabaseError): boolean {
  return !isModelError(error) && (error.context?.includes('PL/pgSQL') ?? false);
}

/** The server's words, with the column whose type does not take the value: of a batch it does not name it. */
async function reasonOf(
  tx: Connection,
  writer: BatchWriter,
  row: RowValues,
  error: DatabaseError,
): Promise<string> {
  if (isModelError(error)) return error.message;
  const column = error.sqlstate.startsWith('22') ? await writer.misfit(tx, row) : undefined;
  const where = column === undefined ? '' : `column "${column}": `;
  return `${where}${error.message}${error.detail === undefined ? '' : `: ${error.detail}`}`;
}

function hopeless(error: DatabaseError) {
  return segError(
    'SEG506',
    `a trigger of the table fails on each of ${HOPELESS_AFTER} records in a row: ${error.message}`,
    {
      notes: error.context === undefined ? [] : [{ message: error.context.split('\n')[0]! }],
      hint: 'Mend the trigger; the records of this batch have not been taken in and can be ingested again.',
      cause: error,
      exitCode: 1,
    },
  );
}
