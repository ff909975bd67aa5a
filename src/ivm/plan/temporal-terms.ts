/**
 * What a move of the clock from t0 to t1 changes in a linear tree, the tables standing as they are. Of the scans
 * o1 … on that hold rows which the move makes due, in some order,
 *
 *     ΔQ = Σi  Q(o1 … oi−1 not due, oi due, others)(t1) − the same (t0)
 *
 * so that a joined row is counted with the first of its parts that is due, and all its conditions are evaluated at both instants.
 */
import { mapOpExprs } from '../relation/expression.ts';
import { childrenOf, withChildren } from '../relation/ir.ts';
import type { Op, Scan } from '../relation/ir.ts';
import { signedTerms } from './signed.ts';
import type { Term } from './signed.ts';
import { FROM, TO, atInstant, dueRange } from './temporal.ts';
import type { Due } from './temporal.ts';

export function temporalTerms(root: Op, dues: readonly Due[]): Term[] {
  const occurrences = dueOccurrences(dues);
  return occurrences.flatMap((occurrence, i) => {
    const term = signedTerms(root, [occurrence]).terms[0]!;
    const earlier = new Set(occurrences.slice(0, i));
    return ([1, -1] as const).map((sign) => ({
      ...term,
      op: atTime(
        mapScans(term.op, (scan) => {
          if (scan.occurrence === occurrence) return dueScan(scan, dues, sign);
          return earlier.has(scan.occurrence) ? { ...dueScan(scan, dues), mode: 'rest' } : scan;
        }),
        sign === 1 ? TO : FROM,
      ),
    }));
  });
}

export function dueOccurrences(dues: readonly Due[]): number[] {
  return [...new Set(dues.map(({ scan }) => scan.occurrence))];
}

/** The scan with its due rows only. */
export function dueScan(scan: Scan, dues: readonly Due[], sign?: 1 | -1): Scan {
  const due = dues.filter((one) => one.scan.occurrence === scan.occurrence).map(dueRange);
  return { ...scan, mode: 'due', due, ...(sign === undefined ? {} : { sign }) };
}

/** The tree with the clock standing at an instant. */
export function atTime(op: Op, instant: string): Op {
  return mapOpExprs(op, (expr) => atInstant(expr, instant));
}

/** Scans in subqueries are left as they are. */
export function mapScans(op: Op, map: (scan: Scan) => Scan): Op {
  if (op.kind === 'scan') return map(op);
  return withChildren(
    op,
    childrenOf(op).map((child) => mapScans(child, map)),
  );
}
