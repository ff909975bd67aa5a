/** A generated query while it is put together from the inside out. */
import { quoteIdentifier } from '../../src/sql/quote.ts';
import { anything } from './expressions.ts';
import type { Expression, Scope } from './expressions.ts';
import type { Choices } from './choices.ts';
import type { SqlType } from './sql-types.ts';

export interface Column {
  readonly name: string;
  readonly type: SqlType;
  readonly wide: boolean;
}

export interface Query {
  readonly sql: string;
  readonly columns: readonly Column[];
  /** About how many rows when tables have twenty: queries that would have thousands are not made. */
  readonly rows: number;
  /** Whether its rows grow faster than those of its tables, so that big tables would make it endless. */
  readonly explodes: boolean;
  /** The power of the tables' size that its time grows with: 2 for a correlated subquery over a table. */
  readonly effort: number;
  /** Its name as SQL, when it is all of a table or view. */
  readonly relation?: string;
}

/** A query as an item of FROM. */
export interface Item {
  /** `(SELECT ...) AS q1`, or `q1` of a WITH list. */
  readonly from: string;
  readonly scope: Scope;
  /** What must stand before SELECT. */
  readonly with: readonly string[];
}

/** What an operator is made of. */
export interface Making {
  readonly choices: Choices;
  /** A name that nothing else of the case bears. */
  readonly alias: () => string;
}

export function item(query: Query, { choices, alias }: Making): Item {
  const name = alias();
  const columns = query.columns.map((_, i) => `${name}_${i}`);
  const list = columns.join(', ');
  const scope = query.columns.map(({ type, wide }, i) => ({ sql: `${name}.${columns[i]}`, type, wide }));
  if (query.relation !== undefined && !choices.oneIn(6))
    return { from: `${query.relation} AS ${name} (${list})`, scope, with: [] };
  return choices.oneIn(4)
    ? { from: name, scope, with: [`${name} (${list}) AS (${query.sql})`] }
    : { from: `(${query.sql}) AS ${name} (${list})`, scope, with: [] };
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
  /** What follows FROM. */
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
  const sql = `${head}SELECT ${parts.distinct ?? ''}${list} FROM ${from}${parts.tail ?? ''}`;
  const { rows, explodes, effort } = parts;
  return { sql, columns, rows, explodes, effort };
}

/** One to four columns or computed values, never none. */
export function outputs(scope: Scope, choices: Choices): Expression[] {
  const kept = choices.below(4) === 3 ? [] : choices.some(scope, 1, 4);
  const computed = kept.length === 0 || choices.oneIn(3) ? [anything(scope, choices)] : [];
  return [...kept, ...computed];
}
