/**
 * The delta of a linear tree, for programs that see every relation in the state after the change: operator by operator,
 *
 *     Δ(σ A) = σ ΔA        Δ(A ∪ B) = ΔA ∪ ΔB        Δ(A ⋈ B) = ΔA ⋈ B + A ⋈ ΔB − ΔA ⋈ ΔB
 *
 * each term exact, weights multiplied along joins; a self-join needs no correction of its own. The terms are reached by index or are
 * joins of two changes. Where a side of a join is itself a sum of terms, its change is computed once, rows that came and went alike
 * taken out, and shared by the terms: N inputs that change at once then cost a sum of N differences. Multiplied out they would be 2^N − 1.
 *
 * Terms of changes that meet hold rows that never were: a group that came beside the total that was before it. They cancel each other in the
 * sum. What can fail is asked of the sum, whose rows were there before the change or are there after it.
 *
 * Source: DBSP (Budiu et al., VLDB 2023), bilinear operators.
 */
import { col, conjunction, conjuncts, freeIds, idsIn, ownExprs, raw } from '../relation/expression.ts';
import { childrenOf, outputOf, withChildren } from '../relation/ir.ts';
import type { Expr, Join, Op, Scan, ScanColumn } from '../relation/ir.ts';
import { renamed } from '../relation/rename.ts';
import { columnType } from '../relation/changes-meet.ts';
import { hasOccurrence } from './classify.ts';
import { ColumnTypes, failsOver, treeCanFail } from './fallible.ts';

export interface Term {
  readonly op: Op;
  /** Ids of the weights whose product is the row's weight. */
  readonly weights: readonly string[];
  /** Whether several changes meet in one join. */
  readonly crossing: boolean;
  /** Whether each of its rows is there before the change or after it. */
  readonly real: boolean;
}

/** The change of a part of the tree, which several terms read by scans of this name in the mode `shared`. */
export interface SharedChange {
  readonly name: string;
  readonly terms: readonly Term[];
  /** Ids of its columns, the weight apart. */
  readonly columns: readonly string[];
}

export interface SignedTerms {
  readonly terms: readonly Term[];
  /** In an order in which each reads only those before it. */
  readonly shared: readonly SharedChange[];
}

/** @param changed occurrences of changed relations, each once */
export function signedTerms(root: Op, changed: readonly number[]): SignedTerms {
  const shared: SharedChange[] = [];
  const tree = changed.length > 2 ? joinedWhereRead(root) : root;
  return { terms: termsOf(tree, new Set(changed), shared), shared };
}

/** Where sums may be added; null within a lateral side, whose sums differ from row to row. */
type Shared = SharedChange[] | null;

function termsOf(op: Op, changed: ReadonlySet<number>, shared: Shared): Term[] {
  if (!holdsAny(op, changed)) return [];
  switch (op.kind) {
    case 'scan': {
      const weight = `_w_${op.occurrence}`;
      const scan: Scan = { ...op, mode: 'change', weight };
      return [{ op: scan, weights: [weight], crossing: false, real: true }];
    }
    case 'project':
      return termsBelow(op, changed, shared).map((term) => ({
        ...term,
        op: { ...op, child: term.op, columns: [...op.columns, ...passed(term.weights)] },
      }));
    case 'filter':
    case 'limit':
      return termsBelow(op, changed, shared).map((term) => ({ ...term, op: { ...op, child: term.op } }));
    case 'join':
      return joinTerms(op, changed, shared);
    case 'set':
      return [op.left, op.right].flatMap((side) => {
        const ids = outputOf(side);
        const columns = op.columns.map((id, i) => ({ id, expr: col(ids[i]!) }));
        return termsOf(side, changed, shared).map((term) => ({
          ...term,
          op: renamed(term.op, [...columns, ...passed(term.weights)]),
        }));
      });
    default:
      throw new Error(`invariant: ${op.kind} is not linear`);
  }
}

/** The terms of an operator's child, as their sum where the operator asks something of them that can fail. */
function termsBelow(
  op: Extract<Op, { kind: 'project' | 'filter' | 'limit' }>,
  changed: ReadonlySet<number>,
  shared: Shared,
): Term[] {
  const terms = termsOf(op.child, changed, shared);
  return ownExprs(op).some((expr) => failsOver(expr, op.child)) ? realTerms(op.child, terms, shared) : terms;
}

function realTerms(op: Op, terms: Term[], shared: Shared): Term[] {
  return shared === null || terms.every(({ real }) => real) ? terms : [share(op, terms, shared)];
}

function joinTerms(op: Join, changed: ReadonlySet<number>, shared: Shared): Term[] {
  const made = new Set(outputOf(op.left));
  // What depends on the row beside it cannot be computed once for all of them.
  const apart = ![...freeIds(op.right)].some((id) => made.has(id));
  const some = termsOf(op.left, changed, shared);
  const lefts =
    apart || !treeCanFail(op.right, new ColumnTypes(op).of) ? some : realTerms(op.left, some, shared);
  const rights = termsOf(op.right, changed, apart ? shared : null);
  const meeting = lefts.length > 0 && rights.length > 0;
  const once = (side: Op, terms: Term[], to: Shared): Term[] =>
    meeting && to !== null && terms.length > 1 ? [share(side, terms, to)] : terms;
  const left = once(op.left, lefts, shared);
  const right = once(op.right, rights, apart ? shared : null);
  const one = (term: Term): Term => ({
    ...term,
    crossing: term.crossing || meeting,
    real: term.real && !meeting,
  });
  return [
    ...left.map((term) => one({ ...term, op: { ...op, left: term.op } })),
    ...right.map((term) => one({ ...term, op: { ...op, right: term.op } })),
    ...left.flatMap((l) =>
      right.map((r) => ({
        op: { ...op, left: l.op, right: negated(r.op, { done: false }) },
        weights: [...l.weights, ...r.weights],
        crossing: true,
        real: false,
      })),
    ),
  ];
}

/** Names the sum of some terms, and answers the term that reads it. */
function share(side: Op, terms: readonly Term[], shared: SharedChange[]): Term {
  const name = `_seg_change_${shared.length + 1}`;
  const ids = outputOf(side);
  shared.push({ name, terms, columns: ids });
  const weight = `_w_${name}`;
  const columns = ids.map((id): ScanColumn => {
    const type = columnType(side, id);
    return { id, name: id, ...(type === undefined ? {} : { type }) };
  });
  const op: Scan = {
    kind: 'scan',
    relation: name,
    occurrence: -shared.length,
    columns,
    mode: 'shared',
    weight,
  };
  return { op, weights: [weight], crossing: true, real: true };
}

/** The weights of one change in a tree counted the other way round. */
function negated(op: Op, state: { done: boolean }): Op {
  if (state.done) return op;
  if (op.kind === 'scan') {
    if (op.mode !== 'change' && op.mode !== 'shared') return op;
    state.done = true;
    const { sign, ...scan } = op;
    return sign === -1 ? scan : { ...scan, sign: -1 };
  }
  return withChildren(
    op,
    childrenOf(op).map((child) => negated(child, state)),
  );
}

function passed(weights: readonly string[]): { id: string; expr: Expr }[] {
  return weights.map((id) => ({ id, expr: col(id) }));
}

function holdsAny(op: Op, changed: ReadonlySet<number>): boolean {
  for (const occurrence of changed) if (hasOccurrence(op, occurrence)) return true;
  return false;
}

/**
 * Conditions of a WHERE at the joins whose columns they compare: a change that is shared must not be a cross product. Only comparisons of
 * columns and constants move, which cannot fail wherever they stand.
 */
function joinedWhereRead(op: Op): Op {
  const below = withChildren(op, childrenOf(op).map(joinedWhereRead));
  if (below.kind !== 'filter') return below;
  const parts = conjuncts(below.condition);
  const moving = parts.filter(comparesColumns);
  const { op: child, rest } = pushed(below.child, moving);
  const condition = conjunction([...parts.filter((part) => !moving.includes(part)), ...rest]);
  return condition === null ? child : { ...below, child, condition };
}

/** @returns the tree with those conditions that belong into it, and the others */
function pushed(op: Op, parts: readonly Expr[]): { op: Op; rest: readonly Expr[] } {
  if (op.kind === 'filter') {
    const { op: child, rest } = pushed(op.child, parts);
    return { op: { ...op, child }, rest };
  }
  if (op.kind !== 'join' || op.join !== 'inner') return { op, rest: parts };
  const left = pushed(op.left, parts);
  const right = pushed(op.right, left.rest);
  const [lefts, rights] = [new Set(outputOf(op.left)), new Set(outputOf(op.right))];
  const here = right.rest.filter((part) => {
    const ids = [...idsIn(part)];
    return (
      ids.every((id) => lefts.has(id) || rights.has(id)) &&
      ids.some((id) => lefts.has(id)) &&
      ids.some((id) => rights.has(id))
    );
  });
  const condition = conjunction([...conjuncts(op.condition), ...here]);
  return {
    op: { ...op, left: left.op, right: right.op, condition },
    rest: right.rest.filter((part) => !here.includes(part)),
  };
}

function comparesColumns(part: Expr): boolean {
  const match = part['RowMatch'] as { left: Expr[]; right: Expr[] } | undefined;
  if (match !== undefined) return [...match.left, ...match.right].every(plain);
  const node = part['A_Expr'] as
    { kind?: string; name?: { String?: { sval?: string } }[]; lexpr?: Expr; rexpr?: Expr } | undefined;
  if (node?.kind !== 'AEXPR_OP' || node.lexpr === undefined || node.rexpr === undefined) return false;
  const name = node.name?.length === 1 ? (node.name[0]?.String?.sval ?? '') : '';
  return /^(=|<>|<|>|<=|>=)$/.test(name) && plain(node.lexpr) && plain(node.rexpr);
}

/** A column, a constant, or one of them as a text. */
function plain(expr: Expr): boolean {
  const cast = expr['TypeCast'] as
    { arg: Expr; typeName?: { names?: { String?: { sval?: string } }[] } } | undefined;
  if (cast === undefined) return 'Col' in expr || 'A_Const' in expr;
  return (
    'A_Const' in cast.arg || ('Col' in cast.arg && cast.typeName?.names?.at(-1)?.String?.sval === 'text')
  );
}

/** The product of the weights. */
export function weightOf(weights: readonly string[]): Expr {
  return raw(weights.flatMap((id, i) => (i === 0 ? [col(id)] : [' * ', col(id)])));
}
