/** What a move of the clock does to a stage: which rows it makes due, by what index they are found, and what it costs. */
import { temporalOf } from '../ivm/plan/temporal.ts';
import type { Stage } from '../ivm/plan/stage.ts';
import type { Expr, Scan } from '../ivm/relation/ir.ts';
import { printExpr } from '../ivm/relation/print-expression.ts';

export interface ExplainedClock {
  /** Rows are due when their value is crossed: `ended_at` of `"schema"."relation"`, or of `#1`; and the clock's side. */
  readonly due: readonly { readonly relation: string; readonly value: string; readonly crossedBy: string }[];
  /** Functions of the clock with which the whole stage changes: `now`, `date_trunc('day', now)`. */
  readonly whole: readonly string[];
  readonly cost: string;
}

export function explainClock(stage: Pick<Stage, 'root' | 'strategy'>): ExplainedClock {
  if (stage.root === null) return { due: [], whole: ['now()'], cost: 'the whole query' };
  const { due, loose } = temporalOf(stage.root);
  const cost =
    stage.strategy === 'linear' || stage.strategy === 'merge'
      ? 'the rows that are due'
      : stage.strategy === 'recompute'
        ? 'the whole query if any row is due'
        : 'the partitions with a row that is due';
  return {
    due: due.map(({ scan, value, low, high }) => ({
      relation: scan.relation,
      value: words(value, scan),
      crossedBy:
        JSON.stringify(low) === JSON.stringify(high) ? words(low) : `${words(low)} to ${words(high)}`,
    })),
    whole: loose.map((expr) => words(expr)),
    cost,
  };
}

/** Lines for people. */
export function clockLines({ due, whole, cost }: ExplainedClock): string[] {
  const found = due.map(
    ({ relation, value, crossedBy }) =>
      `temporal: rows of ${relation} are due when ${crossedBy} passes ${value}, found by index`,
  );
  return [
    ...new Set(found),
    ...(due.length > 0 ? [`a move of the clock costs ${cost}`] : []),
    ...whole.map((expr) =>
      expr === 'now()'
        ? 'each move of the clock costs the whole query: now() is not compared with a column alone'
        : `a move of the clock that changes ${expr} costs the whole query`,
    ),
  ];
}

function words(expr: Expr, scan?: Scan): string {
  const text = printExpr(expr, {
    now: 'now()',
    column: (id) => scan?.columns.find((column) => column.id === id)?.name ?? id,
    query: () => '...',
  });
  return text
    .replaceAll('"pg_catalog".', '')
    .replace(/::"(\w+)"/g, '::$1')
    .replace(/\('([^']*)'\)::interval/g, "interval '$1'")
    .replace(/^\((.*)\)$/, (whole, inner: string) => (balanced(inner) ? inner : whole));
}

function balanced(text: string): boolean {
  let depth = 0;
  for (const character of text) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (depth < 0) return false;
  }
  return true;
}
