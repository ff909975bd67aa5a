/** How far a window function looks: which rows around a changed one it can change, and what it carries on. */
import { columnOf } from '../relation/expression.ts';
import { Unsupported } from '../relation/ir.ts';
import type { Expr } from '../relation/ir.ts';
import { functionName } from './facts.ts';

/**
 * What a function over the whole past hands on from a row to the next one.
 * `number`, `rank`, `dense`: positions; `first`: the value of the first row; others: the aggregate so far.
 */
export type Carry = 'number' | 'rank' | 'dense' | 'first' | 'count' | 'sum' | 'min' | 'max' | 'or' | 'and';

export interface Reach {
  /** Rows before the row that its value reads, one by one. */
  readonly behind: number;
  /** Rows after the row that its value reads. */
  readonly ahead: number;
  /** Over all rows from the first on: continued from the value of the row before. */
  readonly carry: Carry | null;
  /** Whether rows that the order does not tell apart can get different values. */
  readonly needsTotalOrder: boolean;
}

interface Node {
  readonly [key: string]: unknown;
}

// The bits of frameOptions in PostgreSQL's nodes/parsenodes.h.
const NONDEFAULT = 0x1;
const ROWS = 0x4;
const START_UNBOUNDED = 0x20;
const END_UNBOUNDED = 0x100;
const START_CURRENT = 0x200;
const END_CURRENT = 0x400;
const START_PRECEDING = 0x800;
const END_PRECEDING = 0x1000;
const END_FOLLOWING = 0x4000;
const EXCLUSIONS = 0x8000 | 0x10000 | 0x20000;

const most = 100;

const carriers: Record<string, Carry> = {
  count: 'count',
  sum: 'sum',
  min: 'min',
  max: 'max',
  bool_or: 'or',
  bool_and: 'and',
  every: 'and',
  first_value: 'first',
};

/**
 * @param call a FuncCall with its `over`
 * @throws Unsupported when its value can depend on rows far after it, or cannot be continued
 */
export function reachOf(call: Node): Reach {
  const name = functionName(call);
  const args = (call['args'] as Expr[] | undefined) ?? [];
  switch (name) {
    case 'row_number':
      return { behind: 0, ahead: 0, carry: 'number', needsTotalOrder: true };
    case 'rank':
      return { behind: 0, ahead: 0, carry: 'rank', needsTotalOrder: false };
    case 'dense_rank':
      return { behind: 0, ahead: 0, carry: 'dense', needsTotalOrder: false };
    case 'lag':
    case 'lead': {
      const by = args[1] === undefined ? 1 : constantRows(args[1]);
      const around = { behind: name === 'lag' ? by : 0, ahead: name === 'lag' ? 0 : by };
      return { ...around, carry: null, needsTotalOrder: true };
    }
    case 'percent_rank':
    case 'cume_dist':
    case 'ntile':
      throw new Unsupported(`${name}(), which depends on how many rows the partition has`);
    default:
      return framed(call, name ?? 'an aggregate of your own');
  }
}

function framed(call: Node, name: string): Reach {
  const over = call['over'] as Node;
  const flags = Number(over['frameOptions'] ?? 0);
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const usual = !has(NONDEFAULT);
  const rows = has(ROWS);
  if (has(EXCLUSIONS)) throw new Unsupported('a window frame with EXCLUDE');
  if (has(END_UNBOUNDED)) throw new Unsupported('a window frame that reaches to the end of the partition');
  if (usual || has(START_UNBOUNDED)) {
    const before = has(END_PRECEDING) && rows ? constantRows(over['endOffset'] as Expr) : 0;
    if (!usual && !has(END_CURRENT) && !(has(END_PRECEDING) && rows))
      throw new Unsupported('a window frame from the first row to beyond the current one');
    if (name === 'last_value') return { behind: before, ahead: 0, carry: null, needsTotalOrder: true };
    const carry = carriers[name];
    if (carry === undefined || (carry === 'first' && before > 0))
      throw new Unsupported(`${name}() over all rows so far, which cannot be continued from the row before`);
    return { behind: before, ahead: 0, carry, needsTotalOrder: rows || carry === 'first' };
  }
  if (!rows && has(START_CURRENT) && has(END_CURRENT))
    return { behind: 0, ahead: 0, carry: null, needsTotalOrder: /_value$/.test(name) };
  if (!rows) throw new Unsupported('a window frame by RANGE or GROUPS with an offset');
  return {
    behind: has(START_PRECEDING) ? constantRows(over['startOffset'] as Expr) : 0,
    ahead: has(END_FOLLOWING) ? constantRows(over['endOffset'] as Expr) : 0,
    carry: null,
    needsTotalOrder: true,
  };
}

function constantRows(expr: Expr): number {
  let at = expr;
  while (at['TypeCast'] !== undefined) at = (at['TypeCast'] as { arg: Expr }).arg;
  const constant = at['A_Const'] as { isnull?: boolean; ival?: { ival?: number } } | undefined;
  const rows = constant?.ival === undefined ? undefined : (constant.ival.ival ?? 0);
  if (constant?.isnull === true || rows === undefined || columnOf(at) !== undefined)
    throw new Unsupported('a window function by a number of rows that is no constant');
  if (rows < 0 || rows > most)
    throw new Unsupported(`a window function that looks more than ${most} rows far`);
  return rows;
}
