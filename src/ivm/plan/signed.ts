/**
 * The delta of a linear tree, for programs that see every relation in the state after the change. With the changed scans
 * o1 ... on in some order,
 *
 *     ΔQ = Σi Q(o1 … oi−1 after, Δoi, oi+1 … on before)          before = after − Δ
 *
 * each term exact, weights multiplied along joins; a self-join needs no correction of its own. Two changed scans A and B that meet in
 * a join are the usual case, and have a form of their own, whose terms are reached by index or are joins of two changes:
 *
 *     ΔQ = ΔA ⋈ B after + A after ⋈ ΔB − ΔA ⋈ ΔB
 *
 * Source: DBSP (Budiu et al., VLDB 2023), bilinear operators.
 */
import { col, walkAll } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Op, Scan } from '../relation/ir.ts';
import { hasOccurrence } from './classify.ts';

export interface Term {
  readonly op: Op;
  /** Ids of the weights whose product is the row's weight. */
  readonly weights: readonly string[];
  /** Whether the term reads a changed relation as it was before: several changes meet in one join. */
  readonly crossing: boolean;
}

/** @param changed occurrences of changed relations, each once */
export function signedTerms(root: Op, changed: readonly number[]): Term[] {
  const [a, b] = changed;
  const alone = (occurrence: number): Term => ({ ...term(root, occurrence, new Set()), crossing: true });
  if (changed.length === 2 && hasOccurrence(alone(a!).op, b!))
    return [alone(a!), alone(b!), { ...term(root, a!, new Set(), b), crossing: true }];
  return changed.map((occurrence, i) => {
    const later = new Set(changed.slice(i + 1));
    const { op, weights } = term(root, occurrence, later);
    let crossing = false;
    walkAll(op, (at) => {
      // In either order of the pair one term reads the other's state before.
      if (at.kind === 'scan' && at.occurrence !== occurrence && changed.includes(at.occurrence))
        crossing = true;
    });
    return { op, weights, crossing };
  });
}

/** @param other a second scan of which only the change is read, counted negatively */
function term(
  op: Op,
  occurrence: number,
  later: ReadonlySet<number>,
  other?: number,
): { op: Op; weights: string[] } {
  switch (op.kind) {
    case 'scan': {
      if (op.occurrence === other) {
        const weight = `_w_${op.occurrence}`;
        return { op: { ...op, mode: 'change', sign: -1, weight } satisfies Scan, weights: [weight] };
      }
      const mode = op.occurrence === occurrence ? 'change' : later.has(op.occurrence) ? 'before' : 'now';
      if (mode === 'now') return { op, weights: [] };
      const weight = `_w_${op.occurrence}`;
      return { op: { ...op, mode, weight } satisfies Scan, weights: [weight] };
    }
    case 'values':
    case 'function':
      return { op, weights: [] };
    case 'project': {
      const { op: child, weights } = term(op.child, occurrence, later, other);
      return {
        op: { ...op, child, columns: [...op.columns, ...weights.map((id) => ({ id, expr: col(id) }))] },
        weights,
      };
    }
    case 'filter': {
      const { op: child, weights } = term(op.child, occurrence, later, other);
      return { op: { ...op, child }, weights };
    }
    case 'limit': {
      const { op: child, weights } = term(op.child, occurrence, later, other);
      return { op: { ...op, child }, weights };
    }
    case 'join': {
      const left = term(op.left, occurrence, later, other);
      const right = term(op.right, occurrence, later, other);
      return { op: { ...op, left: left.op, right: right.op }, weights: [...left.weights, ...right.weights] };
    }
    case 'set': {
      const holds = (side: Op): boolean =>
        hasOccurrence(side, occurrence) || (other !== undefined && hasOccurrence(side, other));
      if (!holds(op)) return unionSide(op, later);
      const side = holds(op.left) ? op.left : op.right;
      const { op: child, weights } = term(side, occurrence, later, other);
      const ids = outputOf(side);
      const columns = op.columns.map((id, i) => ({ id, expr: col(ids[i]!) }));
      return {
        op: {
          kind: 'project',
          child,
          columns: [...columns, ...weights.map((id) => ({ id, expr: col(id) }))],
          sets: false,
        },
        weights,
      };
    }
    default:
      throw new Error(`invariant: ${op.kind} is not linear`);
  }
}

/** A UNION ALL joined with the changed scan: both sides, under one weight where either has one. */
function unionSide(
  op: Extract<Op, { kind: 'set' }>,
  later: ReadonlySet<number>,
): { op: Op; weights: string[] } {
  const sides = [op.left, op.right].map((side) => ({ ids: outputOf(side), ...term(side, -1, later) }));
  if (sides.every(({ weights }) => weights.length === 0)) return { op, weights: [] };
  const weight = `_w_${op.columns[0]!}`;
  const [left, right] = sides.map(({ op: child, ids, weights }) => ({
    kind: 'project' as const,
    child,
    sets: false,
    columns: [
      ...ids.map((id) => ({ id: `${id}_u`, expr: col(id) })),
      {
        id: `${weight}_${ids[0]!}`,
        expr: {
          Raw:
            weights.length === 0
              ? ['1']
              : weights.flatMap((id, i) => (i === 0 ? [col(id)] : [' * ', col(id)])),
        },
      },
    ],
  }));
  return { op: { ...op, left: left!, right: right!, columns: [...op.columns, weight] }, weights: [weight] };
}
