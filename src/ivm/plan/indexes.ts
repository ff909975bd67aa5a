/**
 * Indexes that the statements of a step need on the relations they read, found in the trees themselves: starting from
 * what is given (the rows of a change, the columns of a key) along the equalities of conditions, each relation that
 * is reached so is reached by an index on its side of them.
 */
import {
  conjuncts,
  equality,
  idsIn,
  ownExprs,
  subqueriesIn,
  substitute,
  usesNow,
  walkAll,
} from '../relation/expression.ts';
import type { Expr, Op, Scan } from '../relation/ir.ts';

export interface NeededIndex {
  readonly relation: string;
  /** Over ids of `scan`. */
  readonly expressions: readonly Expr[];
  /** One index on the hash of all of them, or one on the expressions themselves. */
  readonly hashed: boolean;
  /** The expressions are also compared one by one, so that where there can be no hash an index on one of them serves. */
  readonly apart?: true;
  /** Ranges are asked of it, so it must keep an order. */
  readonly ordered?: true;
  /** An order that follows the hash, for rows of one key, or that is the whole index. */
  readonly then?: readonly IndexOrder[];
  /** Which rows it holds; all, when left out. */
  readonly where?: Expr;
  readonly scan: Scan;
}

export interface IndexOrder {
  readonly expr: Expr;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** Known to be of a type whose values fit into an index; others are asked for their type when the index is made. */
  readonly short?: boolean;
}

/** @param atHand whether a scan's rows are at hand from the start */
export function indexesFor(root: Op, atHand: (scan: Scan) => boolean): NeededIndex[] {
  const scans: Scan[] = [];
  const definitions = new Map<string, Expr>();
  const conditions: Expr[] = [];
  walkAll(root, (op) => {
    if (op.kind === 'scan') scans.push(op);
    if (op.kind === 'project') for (const { id, expr } of op.columns) definitions.set(id, expr);
    if (op.kind === 'aggregate') for (const { id, expr } of op.groups) definitions.set(id, expr);
    if (op.kind === 'filter') conditions.push(...conjuncts(op.condition));
    if (op.kind === 'join') conditions.push(...conjuncts(op.condition));
    for (const expr of ownExprs(op)) {
      for (const sub of subqueriesIn(expr)) {
        if (sub.type !== 'any' || sub.operator !== '=' || sub.test === null || sub.output.length !== 1)
          continue;
        conditions.push({
          A_Expr: {
            kind: 'AEXPR_OP',
            name: [{ String: { sval: '=' } }],
            lexpr: sub.test,
            rexpr: { Col: sub.output[0]! },
          },
        });
      }
    }
  });
  const owner = new Map(scans.flatMap((scan) => scan.columns.map(({ id }) => [id, scan] as const)));
  const resolve = (expr: Expr): Expr => {
    let at = expr;
    for (let depth = 0; depth < 50; depth++) {
      const next = substitute(at, definitions);
      if (JSON.stringify(next) === JSON.stringify(at)) return at;
      at = next;
    }
    return at;
  };
  /** The only scan an expression uses; undefined when it uses none or several. */
  const onlyScan = (expr: Expr): Scan | undefined => {
    if (subqueriesIn(expr).length > 0 || usesNow(expr)) return undefined;
    const used = new Set([...idsIn(expr)].map((id) => owner.get(id)));
    return used.size === 1 ? [...used][0] : undefined;
  };

  const needed: NeededIndex[] = [];
  const reached = new Set<Scan>(scans.filter(atHand));
  for (const condition of conditions) {
    const match = condition['KeyMatch'] as { exprs: Expr[]; then?: readonly IndexOrder[] } | undefined;
    if (match === undefined) continue;
    const expressions = match.exprs.map(resolve);
    const then = match.then?.map((key) => ({ ...key, expr: resolve(key.expr) }));
    // Where all rows are one partition, the order is the whole index.
    const scan = onlyScan(expressions.length > 0 ? { List: expressions } : (then?.[0]?.expr ?? {}));
    if (scan === undefined) continue;
    const ordered = then?.every(({ expr }) => idsIn(expr).size > 0 && onlyScan(expr) === scan) === true;
    const order = ordered ? then : [];
    const how = expressions.length > 0 ? { hashed: true } : { hashed: false, ordered: true as const };
    needed.push({ relation: scan.relation, expressions, ...how, then: order, scan });
    reached.add(scan);
  }
  // The rows of one key, where a unique index of the table's own finds them (plan/restrict.ts).
  for (const condition of conditions) {
    const parts = condition['Raw'] as readonly (string | Expr)[] | undefined;
    if (parts?.some((part) => typeof part === 'string' && part.includes('"_seg_k".')) !== true) continue;
    const scan = onlyScan(resolve(condition));
    if (scan !== undefined) reached.add(scan);
  }
  const pairs = conditions.flatMap((condition) => {
    const sides = equality(condition);
    if (sides === undefined) return [];
    const left = resolve(sides.left);
    const right = resolve(sides.right);
    return [
      { own: left, other: right },
      { own: right, other: left },
    ];
  });
  const given = (expr: Expr): boolean =>
    idsIn(expr).size > 0 &&
    [...idsIn(expr)].every((id) => owner.get(id) === undefined || reached.has(owner.get(id)!));
  const rows = conditions.flatMap((condition) => {
    const match = condition['RowMatch'] as { left: Expr[]; right: Expr[] } | undefined;
    if (match === undefined) return [];
    const left: Expr = { List: match.left.map(resolve) };
    const right: Expr = { List: match.right.map(resolve) };
    return [
      { own: left, other: right },
      { own: right, other: left },
    ];
  });
  for (let progress = true; progress;) {
    progress = false;
    for (const scan of scans) {
      if (reached.has(scan)) continue;
      const row = rows.find(({ own, other }) => onlyScan(own) === scan && given(other));
      if (row !== undefined) {
        const expressions = row.own['List'] as Expr[];
        needed.push({ relation: scan.relation, expressions, hashed: true, apart: true, scan });
        reached.add(scan);
        progress = true;
        continue;
      }
      const usable = pairs.filter(({ own, other }) => onlyScan(own) === scan && given(other));
      if (usable.length === 0) continue;
      const expressions: Expr[] = [];
      for (const { own } of usable) {
        if (!expressions.some((known) => JSON.stringify(known) === JSON.stringify(own)))
          expressions.push(own);
      }
      needed.push({ relation: scan.relation, expressions, hashed: false, scan });
      reached.add(scan);
      progress = true;
    }
  }
  return needed;
}
