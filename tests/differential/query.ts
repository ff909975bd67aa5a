/** A generated query while it is put together from the inside out. */
import { quoteIdentifier } from '../../src/sql/quote.ts';
import type { Choices } from './choices.ts';
import { anything } from './expressions.ts';
import { fallible } from './fallible.ts';
import { where } from './shapes.ts';
import type { Column, Expression, Item, Query, Scope } from './shapes.ts';

/** What an operator is made of. */
export interface Making {
  readonly choices: Choices;
  /** A name that nothing else of the case bears. */
  readonly alias: () => string;
}

export function item(query: Query, making: Making): Item {
  const made = plainItem(query, making);
  const { choices, alias } = making;
  if (!choices.takes('guards', 4)) return made;
  const found = fallible(made.scope, choices);
  if (found === null) return made;
  const guarded: Item = { ...made, scope: [found.column, ...made.scope], guard: found.guard };
  return choices.oneIn(3) ? within(guarded, alias()) : guarded;
}

/** The same rows as a subquery, so that its guard stands below everything else. */
export function within(of: Item, name: string): Item {
  if (of.guard === '') return of;
  const columns = of.scope.map((_, i) => `${name}_${i}`);
  const list = of.scope.map(({ sql }) => sql).join(', ');
  return {
    with: of.with,
    from: `(SELECT ${list} FROM ${of.from}${where(of.guard)}) AS ${name} (${columns.join(', ')})`,
    scope: of.scope.map((column, i) => ({ ...column, sql: `${name}.${columns[i]}` })),
    guard: '',
  };
}

function plainItem(query: Query, { choices, alias }: Making): Item {
  const name = alias();
  const columns = query.columns.map((_, i) => `${name}_${i}`);
  const list = columns.join(', ');
  const scope = query.columns.map(({ type, wide }, i) => ({ sql: `${name}.${columns[i]}`, type, wide }));
  if (query.relation !== undefined && !choices.oneIn(6))
    return { from: `${query.relation} AS ${name} (${list})`, scope, with: [], guard: '' };
  return choices.oneIn(4)
    ? { from: name, scope, with: [`${name} (${list}) AS (${query.sql})`], guard: '' }
    : { from: `(${query.sql}) AS ${name} (${list})`, scope, with: [], guard: '' };
}

const odd = ['Mixed', 'a b', 'quo"te', 'ünï', 'select', "it's", 'x'.repeat(60)];

/** Names output columns: plainly, now and then so that quoting is put to the test. */
export function named(
  expressions: readonly Expression[],
  choices: Choices,
): { list: string; columns: Column[] } {
  const strange = choices.oneIn(6);
  const columns = expressions.map(({ type, wide }, i) => ({
    name: strange ? `${odd[i % odd.length]}${i}` : `c${i}`,
    type,
    wide,
  }));
  const list = expressions.map(({ sql }, i) => `${sql} AS ${quoteIdentifier(columns[i]!.name)}`).join(', ');
  return { list, columns };
}

export interface SelectParts {
  readonly items: readonly Item[];
  /** `q1 JOIN q2 ON ...`; default: the one item. */
  readonly from?: string;
  readonly distinct?: string;
  readonly expressions: readonly Expression[];
  /** Conditions beside the guards of the items. */
  readonly where?: string;
  /** Whether the guards of the items stand in `from` already. */
  readonly guarded?: boolean;
  /** What follows WHERE. */
  readonly tail?: string;
  readonly rows: number;
  readonly explodes: boolean;
  readonly effort: number;
}

export function select(parts: SelectParts, { choices }: Making): Query {
  const { list, columns } = named(parts.expressions, choices);
  const withs = parts.items.flatMap((each) => each.with);
  const head = withs.length === 0 ? '' : `WITH ${withs.join(', ')} `;
  const from = parts.from ?? parts.items[0]!.from;
  const guards = parts.guarded === true ? [] : parts.items.map(({ guard }) => guard);
  const kept = where(...guards, parts.where ?? '');
  const sql = `${head}SELECT ${parts.distinct ?? ''}${list} FROM ${from}${kept}${parts.tail ?? ''}`;
  const { rows, explodes, effort } = parts;
  return { sql, columns, rows, explodes, effort: effort + choices.subqueries };
}

/** One to four columns or computed values, never none. */
export function outputs(scope: Scope, choices: Choices): Expression[] {
  const kept = choices.below(4) === 3 ? [] : choices.some(scope, 1, 4);
  const computed = kept.length === 0 || choices.oneIn(3) ? [anything(scope, choices)] : [];
  return [...kept, ...computed];
}
