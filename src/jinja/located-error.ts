import type { Location, Note } from '../diagnostics/diagnostic.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import { ReturnSignal } from './return-signal.ts';
import { Fault } from './values.ts';

/**
 * What stopped a render, as a SegError with its place. A host's SegError keeps the place it has; `notes` (the macro
 * calls around) are added to every diagnostic. Anything else is a defect and comes back as it is.
 */
export function locatedError(error: unknown, at: Location, notes: readonly Note[]): unknown {
  if (error instanceof Fault) return segError(error.code, error.message, { at, notes, hint: error.hint });
  if (error instanceof ReturnSignal) {
    return segError('SEG219', '"return" outside of a macro', {
      at,
      notes,
      hint: 'Only a macro can return a value.',
    });
  }
  if (error instanceof SegError) {
    const diagnostics = error.diagnostics.map((diagnostic) => ({
      ...diagnostic,
      at: diagnostic.at ?? at,
      notes: [...(diagnostic.notes ?? []), ...notes],
    }));
    return new SegError(diagnostics, { exitCode: error.exitCode, cause: error.cause });
  }
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return segError('SEG221', 'the template is nested too deeply', { at, notes: notes.slice(0, 5) });
  }
  return error;
}
