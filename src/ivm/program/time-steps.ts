/**
 * Programs that measure themselves, for `explain --analyze`: the same steps, each followed by a note of its time and rows in
 * the setting `seg.timed`. Such functions live in a transaction that is rolled back, so the programs of everybody else are as
 * they were, and measuring costs nothing when nobody does.
 *
 * A note is `[step, milliseconds, rows in, rows out]`; the setting holds them as JSON without the outer brackets.
 */
import { addedVariable, countVariable, removedVariable } from './program-data.ts';
import type { ProgramStep, TableEvent } from './program-data.ts';

export const timingVariables = `  _seg_from timestamptz;
  _seg_ms double precision;
  _seg_timed text := '';
`;

/** @param text the statements of the step */
export function timedStep(step: ProgramStep, i: number, event: TableEvent, text: string): string {
  const own = step.always ? [`(SELECT count(*) FROM ${event === 'delete' ? '_seg_old' : '_seg_new'})`] : [];
  const handed = step.after.map((at) => changeOf(at));
  const out = step.wanted ? changeOf(i) : countVariable(i);
  return noted(i, [...own, ...handed].join(' + '), out, text);
}

/** A step of a refresh, which sees no delta. */
export function timedRefresh(i: number, changed: string, text: string): string {
  return noted(i, 'NULL', changed, text);
}

export const noteTimes = `    PERFORM set_config('seg.timed', _seg_timed, true);`;

function noted(i: number, rowsIn: string, rowsOut: string, text: string): string {
  return `    _seg_from := clock_timestamp();
${text}
    _seg_ms := extract(epoch FROM clock_timestamp() - _seg_from) * 1000;
    _seg_timed := _seg_timed || format(',[${i},%s,%s,%s]', _seg_ms, coalesce((${rowsIn})::text, 'null'), coalesce((${rowsOut})::text, 'null'));`;
}

function changeOf(i: number): string {
  return `cardinality(${removedVariable(i)}) + cardinality(${addedVariable(i)})`;
}
