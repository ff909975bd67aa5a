/** Errors of models that follow a source, told from those of the records themselves. */
import { DatabaseError } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { SegError } from '../diagnostics/seg-error.ts';
import type { RowValues } from './record-mapper.ts';

/**
 * Whether a maintenance program raised the error under a model's name (ivm/program/name-errors.ts): it says which relation
 * it is about, as PostgreSQL does for constraints only, and it comes straight from a RAISE.
 */
export function isModelError(error: unknown): boolean {
  return (
    error instanceof DatabaseError &&
    error.table !== undefined &&
    /^PL\/pgSQL function .* line \d+ at RAISE/.test(error.context ?? '')
  );
}

/** A model failed on this row, and the source says `on_error: fail`. */
export class ModelFailure extends Error {
  readonly row: RowValues;
  override readonly cause: DatabaseError;

  constructor(row: RowValues, cause: DatabaseError) {
    super(cause.message, { cause });
    this.name = 'ModelFailure';
    this.row = row;
    this.cause = cause;
  }
}

/** @param place the record that a model fails on, `events.ndjson, line 17`; undefined when no single record is to blame */
export function modelError(error: DatabaseError, place?: string): SegError {
  return segError('SEG506', `${place === undefined ? '' : `${place}: `}${error.message}`, {
    notes: [
      ...(error.detail === undefined ? [] : [{ message: error.detail }]),
      {
        message:
          'Nothing of this batch was taken in. What was taken in before stays, and is dropped as duplicates when it comes again if the source has a key.',
      },
    ],
    hint: error.hint,
    exitCode: 1,
    cause: error,
  });
}
