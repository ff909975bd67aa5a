/**
 * Pushes the restriction to one partition, `K IS NOT DISTINCT FROM k`, down to the scans (see `partition.ts`).
 *
 * At a scan it becomes ONE comparison of hashes that an index answers, plus the exact comparison:
 *
 *     hash_record_extended(ROW(a, b), 0) = hash_record_extended(ROW(k.a, k.b), 0) AND a IS NOT DISTINCT FROM k.a ...
 *
 * so that NULL is a key like any other, an index entry is 8 bytes whatever the columns hold (a btree refuses a text of
 * 2,700 bytes, and with it the writer's row), and one index serves keys of several columns.
 */
import { col, columnOf, conjunction, idsIn, raw, substitute } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Column, Expr, Op, Scan } from '../relation/ir.ts';
import { firstRows } from './first-rows.ts';
import type { FirstRows } from './first-rows.ts';
import type { IndexOrder } from './indexes.ts';
import { partitionIds } from './partition.ts';

/** One column of the key: an expression over the operator's output, and the SQL of the key's value. */
export interface KeyPart {
  readonly expr: Expr;
  readonly value: string;
  /** Its type, to which both sides of a set operation are brought before their hashes are compared. */
  readonly type: string;
  /**
   * Rows of the key are wanted in the order of an index, a few of them only. A planner that believes in one row for each key
   * reads and sorts them all: inside of a CASE it takes the comparison for one that half of the rows meet.
   */
  readonly few?: boolean;
  /** The order that those few are wanted in, over the operator's output. */
  readonly order?: readonly IndexOrder[];
}

/** A unique key without NULLs among some columns of a relation, when there is one. */
export type KeyWithin = (relation: string, columns: readonly string[]) => readonly string[] | undefined;

export function restrict(
  op: Op,
  parts: readonly KeyPart[],
  keyWithin: KeyWithin,
  first: FirstRows | undefined = undefined,
): Op {
  if (parts.length === 0) return op;
  switch (op.kind) {
    case 'project': {
      // A column that returns a set cannot stand in a condition; it is compared when it has been computed.
      const plain = op.sets ? op.columns.filter(({ expr }) => columnOf(expr) !== undefined) : op.columns;
      const { pass, stay } = divide(parts, new Set(plain.map(({ id }) => id)));
      return keep(
        { ...op, child: restrict(op.child, substituted(pass, plain), keyWithin, first) },
        stay,
        keyWithin,
      );
    }
    case 'aggregate':
      return { ...op, child: restrict(op.child, substituted(parts, op.groups), keyWithin) };
    case 'filter':
      return { ...op, child: restrict(op.child, parts, keyWithin, firstRows(op)) };
    case 'distinct':
      return { ...op, child: restrict(op.child, parts, keyWithin) };
    case 'limit':
      if (op.limit !== null || op.offset !== null) return keep(op, parts, keyWithin);
      return { ...op, child: restrict(op.child, parts, keyWithin) };
    case 'window': {
      const partition = partitionIds(op);
      const { pass, stay } = divide(parts, new Set(partition));
      const child =
        first?.window === op && covers(pass, partition)
          ? firstOf(op.child, first, pass, keyWithin)
          : restrict(op.child, pass, keyWithin);
      return keep({ ...op, child }, stay, keyWithin);
    }
    case 'distinct-on': {
      const { pass, stay } = divide(parts, new Set(op.on));
      if (covers(pass, op.on)) {
        const order = op.order.filter(({ id }) => !op.on.includes(id));
        return keep(firstOf(op.child, { order, rows: 1, ties: false }, pass, keyWithin), stay, keyWithin);
      }
      return keep({ ...op, child: restrict(op.child, pass, keyWithin) }, stay, keyWithin);
    }
    case 'join': {
      if (op.join === 'full') return keep(op, parts, keyWithin);
      const left = divide(parts, new Set(outputOf(op.left)));
      if (op.join === 'left')
        return keep({ ...op, left: restrict(op.left, left.pass, keyWithin) }, left.stay, keyWithin);
      const right = divide(left.stay, new Set(outputOf(op.right)));
      return keep(
        {
          ...op,
          left: restrict(op.left, left.pass, keyWithin),
          right: restrict(op.right, right.pass, keyWithin),
        },
        right.stay,
        keyWithin,
      );
    }
    case 'set': {
      const side = (child: Op): KeyPart[] => {
        const ids = outputOf(child);
        const by = new Map(op.columns.map((id, i) => [id, { Col: ids[i]! }]));
        return parts.map(({ order: _, ...part }) => ({
          ...part,
          expr: raw(['(', substitute(part.expr, by), `)::${part.type}`]),
        }));
      };
      return {
        ...op,
        left: restrict(op.left, side(op.left), keyWithin),
        right: restrict(op.right, side(op.right), keyWithin),
      };
    }
    case 'scan':
    case 'values':
    case 'function':
      return keep(op, parts, keyWithin);
  }
}

/** Of one partition: only its first rows, which an index finds in their order. */
function firstOf(
  child: Op,
  { order, rows, ties }: Omit<FirstRows, 'window'>,
  parts: readonly KeyPart[],
  keyWithin: KeyWithin,
): Op {
  const ordered = parts.map((part) => ({
    ...part,
    few: true,
    order: order.map(({ id, descending, nullsFirst }) => ({ expr: col(id), descending, nullsFirst })),
  }));
  const limit: Expr = { A_Const: { ival: { ival: rows } } };
  return { kind: 'limit', child: restrict(child, ordered, keyWithin), order, limit, offset: null, ties };
}

function covers(parts: readonly KeyPart[], ids: readonly string[]): boolean {
  return ids.length > 0 && ids.every((id) => parts.some(({ expr }) => columnOf(expr) === id));
}

function substituted(parts: readonly KeyPart[], columns: readonly Column[]): KeyPart[] {
  const by = new Map(columns.map(({ id, expr }) => [id, expr]));
  return parts.map(({ order, ...part }) => ({
    ...part,
    expr: substitute(part.expr, by),
    ...(order && { order: order.map((key) => ({ ...key, expr: substitute(key.expr, by) })) }),
  }));
}

function divide(parts: readonly KeyPart[], ids: ReadonlySet<string>): { pass: KeyPart[]; stay: KeyPart[] } {
  const passes = ({ expr }: KeyPart): boolean => [...idsIn(expr)].every((id) => ids.has(id));
  return { pass: parts.filter(passes), stay: parts.filter((part) => !passes(part)) };
}

function keep(op: Op, parts: readonly KeyPart[], keyWithin: KeyWithin): Op {
  if (parts.length === 0) return op;
  return {
    kind: 'filter',
    child: op,
    condition: keyCondition(parts, op.kind === 'scan' ? op : undefined, keyWithin),
  };
}

/** Columns that a unique index of the relation finds are compared plainly; others by hash, and exactly. */
function keyCondition(parts: readonly KeyPart[], scan: Scan | undefined, keyWithin: KeyWithin): Expr {
  const names = parts.map(({ expr }) => scan?.columns.find(({ id }) => id === columnOf(expr))?.name);
  const key =
    scan === undefined
      ? undefined
      : keyWithin(
          scan.relation,
          names.filter((name) => name !== undefined),
        );
  const exact = parts.map(({ expr, value }, i) => {
    const plain = key?.includes(names[i] ?? '') === true;
    return raw(['(', expr, plain ? ` = ${value})` : ` IS NOT DISTINCT FROM ${value})`]);
  });
  if (key !== undefined) return conjunction(exact)!;
  const hash: Expr = {
    KeyMatch: {
      exprs: parts.map(({ expr }) => expr),
      values: parts.map(({ value }) => value),
      then: parts[0]?.order,
    },
  };
  if (parts.some(({ few }) => few === true))
    return conjunction([hash, raw(['(CASE WHEN ', conjunction(exact)!, ' THEN true ELSE false END)'])])!;
  return conjunction([hash, ...exact])!;
}
