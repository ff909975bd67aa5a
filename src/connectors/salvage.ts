import type { Connection } from '../engines/connection.ts';
import { DatabaseError } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { BadRow, type BatchOutcome, type BatchWriter } from './batch-writer.ts';
import type { RowValues } from './record-mapper.ts';

export interface Salvaged extends BatchOutcome {
  /** Rows the database refused, and its reasons. */
  readonly refused: ReadonlyMap<RowValues, string>;
}

/** SQLSTATE classes that a record's content can cause: data, constraints, limits, cardinality, RAISE. */
const OF_THE_DATA = new Set(['21', '22', '23', '54', 'P0']);
const HOPELESS_AFTER = 25;

/** May leaving a record out help? Everything else (a lost connection, a missing table) is no record's fault. */
export function isDataError(error: unknown): boolean {
  if (error instanceof BadRow) return true;
  return error instanceof DatabaseError && OF_THE_DATA.has(error.sqlstate.slice(0, 2));
}

/**
 * Writes a batch of which some row does not fit: finds such rows by the server's word or by halving, leaves them out,
 * and keeps all others in their order. Must run inside a transaction.
 * Throws SEG506 when a model above the source fails on record after record: then the model is at fault, and putting
 * the whole stream among the dead letters would help nobody.
 */
export async function salvage(
  tx: Connection,
  writer: BatchWriter,
  rows: readonly RowValues[],
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
        refused.set(error.row, reasonOf(error.cause));
        await attempt(part.slice(0, at));
        await attempt(part.slice(at + 1));
      } else if (part.length === 1) {
        refused.set(part[0]!, reasonOf(error as DatabaseError));
        failures++;
        if (failures >= HOPELESS_AFTER && inProgram(error as DatabaseError))
          throw hopeless(error as DatabaseError);
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

function inProgram(error: DatabaseError): boolean {
  return error.context?.includes('PL/pgSQL') ?? false;
}

function reasonOf(error: DatabaseError): string {
  const program = inProgram(error) ? ' (while bringing the models up to date)' : '';
  return `${error.message}${error.detail === undefined ? '' : `: ${error.detail}`}${program}`;
}

function hopeless(error: DatabaseError) {
  return segError('SEG506', `a model fails on each of ${HOPELESS_AFTER} records in a row: ${error.message}`, {
    notes: error.context === undefined ? [] : [{ message: error.context.split('\n')[0]! }],
    hint: 'Mend the model and run "seg run"; the records of this batch have not been taken in and can be ingested again.',
    cause: error,
    exitCode: 1,
  });
}
