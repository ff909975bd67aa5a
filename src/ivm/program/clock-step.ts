/**
 * The clock's own program: what a step does when the clock has moved from t0 to t1, both at hand in variables.
 *
 *     nothing due            the step is passed over
 *     some rows              linear: what they were at t0 goes, what they are at t1 comes; rekey: their partitions
 *     many rows, or all      the stage is refreshed as a whole, set-wise
 */
import { quoteLiteral } from '../../sql/quote.ts';
import { affected } from '../plan/affected.ts';
import { occurrencesOf } from '../plan/classify.ts';
import type { KeyWithin } from '../plan/restrict.ts';
import { signedTerms } from '../plan/signed.ts';
import type { SignedTerms } from '../plan/signed.ts';
import { touchedPositions } from '../plan/suffix-region.ts';
import { FROM, TO, atInstant, temporalOf } from '../plan/temporal.ts';
import type { Due, Temporal } from '../plan/temporal.ts';
import { atTime, dueOccurrences, dueScan, mapScans, temporalTerms } from '../plan/temporal-terms.ts';
import type { Op, Scan } from '../relation/ir.ts';
import { exprSql, selectSql } from '../relation/to-sql.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { mergeSql } from '../strategies/merge.ts';
import { linearSql } from '../strategies/linear.ts';
import { suffixSql } from '../strategies/suffix.ts';
import { rekeySql } from '../strategies/rekey.ts';
import type { StoredStage } from '../strategies/stored-stage.ts';
import { EPOCH } from './program-data.ts';
import type { ClockStep } from './program-data.ts';

/** From how many due rows on, and from what part of their relation, a stage is refreshed. */
const someRows = 500;
const bytesPerDueRow = 20 * 200;

/** @param changed relations of the stage that changed before this step, under the stage's own names */
export function clockStep(
  stored: StoredStage,
  options: SqlOptions,
  changed: ReadonlySet<string>,
  keyWithin: KeyWithin,
  wanted: boolean,
): ClockStep | undefined {
  const { root } = stored.stage;
  if (root === null) return undefined;
  const temporal = temporalOf(root);
  const scans = dueOccurrences(temporal.due).map((occurrence) => {
    const { scan } = temporal.due.find((due) => due.scan.occurrence === occurrence)!;
    return dueScan(scan, temporal.due);
  });
  const steps = looseSteps(temporal, options);
  return {
    moved: anyOf([...steps, ...scans.map((scan) => `EXISTS (${dueRows(scan, options)})`)]),
    whole: anyOf([
      ...steps,
      ...unknownEnds(temporal, options),
      ...scans.map((scan) => manyRows(scan, options)),
    ]),
    statement: statementOf(stored, root, temporal, options, changed, keyWithin, wanted),
  };
}

function statementOf(
  stored: StoredStage,
  root: Op,
  temporal: Temporal,
  options: SqlOptions,
  changed: ReadonlySet<string>,
  keyWithin: KeyWithin,
  wanted: boolean,
): string | null {
  const occurrences = occurrencesOf(root, changed);
  // First the tables change under the old time, then the time moves over the changed tables.
  const termsOf = (linear: Op): SignedTerms => {
    const { terms, shared } = signedTerms(atTime(linear, FROM), occurrences);
    return { terms: [...terms, ...temporalTerms(linear, temporal.due)], shared };
  };
  if (stored.stage.strategy === 'merge') {
    if (occurrences.length + temporal.due.length === 0) return null;
    return mergeSql(stored, { termsOf, keyWithin, options, epoch: EPOCH, wanted, removes: true });
  }
  if (stored.stage.strategy === 'linear') {
    const change = termsOf(root);
    // Every use of the clock is loose, and its value has not changed.
    if (change.terms.length === 0) return null;
    return linearSql(stored, change, options, EPOCH, wanted).general;
  }
  const { suffix } = stored.stage;
  if (suffix !== undefined) {
    const touched = dueOccurrences(temporal.due).map((occurrence) =>
      dueIn(touchedPositions(root, suffix, occurrence), occurrence, temporal.due),
    );
    const others = occurrences.map((occurrence) => touchedPositions(root, suffix, occurrence));
    if (touched.length + others.length === 0) return null;
    return suffixSql(stored, [...others, ...touched].flatMap(atBothTimes), keyWithin, options, EPOCH, wanted);
  }
  if (stored.stage.strategy === 'rekey') {
    const touched = affectedByTime(root, temporal.due, new Set(stored.stage.key));
    const others = occurrences.map((occurrence) => affected(root, occurrence, new Set(stored.stage.key)));
    if (touched.length + others.length === 0) return null;
    const trees = [...others, ...touched].flatMap(atBothTimes);
    return rekeySql(stored, trees, keyWithin, options, EPOCH, wanted);
  }
  return null;
}

/** Trees of the partitions in which a row is due. */
export function affectedByTime(root: Op, dues: readonly Due[], key: ReadonlySet<string>): Op[] {
  return dueOccurrences(dues).map((occurrence) => dueIn(affected(root, occurrence, key), occurrence, dues));
}

function dueIn(tree: Op, occurrence: number, dues: readonly Due[]): Op {
  return mapScans(tree, (scan) => (scan.occurrence === occurrence ? dueScan(scan, dues) : scan));
}

/** What a row was joined with may follow from the time: both from the one it was and the one it is. */
function atBothTimes(tree: Op): Op[] {
  const [before, after] = [atTime(tree, FROM), atTime(tree, TO)];
  return JSON.stringify(before) === JSON.stringify(after) ? [tree] : [before, after];
}

function looseSteps({ loose }: Temporal, options: SqlOptions): string[] {
  return loose.map((expr) => {
    const at = (instant: string): string => exprSql(atInstant(expr, instant), options);
    return `${at(FROM)} IS DISTINCT FROM ${at(TO)}`;
  });
}

/** A range whose one end is NULL is no range. */
function unknownEnds({ due }: Temporal, options: SqlOptions): string[] {
  const ends = due.flatMap(({ low, high }) => [low, high]);
  const texts = ends.map((expr) => {
    const at = (instant: string): string => exprSql(atInstant(expr, instant), options);
    return `(${at(FROM)} IS NULL) <> (${at(TO)} IS NULL)`;
  });
  return [...new Set(texts)];
}

function dueRows(scan: Scan, options: SqlOptions): string {
  return selectSql(scan, [], options);
}

function manyRows(scan: Scan, options: SqlOptions): string {
  const table = quoteLiteral(options.from(scan));
  return `EXISTS (${dueRows(scan, options)} OFFSET greatest(${someRows}, pg_relation_size(${table}::regclass) / ${bytesPerDueRow}))`;
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'false' : conditions.join('\n      OR ');
}
