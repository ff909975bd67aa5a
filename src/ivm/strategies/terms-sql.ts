/** The terms of a change as one query, with what they share before them. */
import { quoteIdentifier } from '../../sql/quote.ts';
import { col } from '../relation/expression.ts';
import type { Op } from '../relation/ir.ts';
import { selectSql } from '../relation/to-sql.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { weightOf } from '../plan/signed.ts';
import type { SharedChange, SignedTerms, Term } from '../plan/signed.ts';

/**
 * @param shown the term's columns as they are wanted, `_seg_w` being its weight
 * @param names of the columns, in order
 */
export function termsSql(
  { terms, shared }: SignedTerms,
  shown: (term: Term) => Op,
  names: readonly string[],
  options: SqlOptions,
): string {
  const list = terms.map((term) => `    ${selectSql(shown(term), names, options)}`).join('\n    UNION ALL\n');
  if (shared.length === 0) return list;
  return `    WITH ${shared.map((change) => sharedSql(change, options)).join(',\n')}\n${list}`;
}

/**
 * Rows that came and went alike are none. Alike are rows of the same text: values that are equal by their type's `=` may still be told
 * apart by what is computed of them (1.0 and 1.00), and not every type has an `=`. What is left stands as often as its weight says:
 * sums count a row's value once.
 */
function sharedSql({ name, terms, columns }: SharedChange, options: SqlOptions): string {
  const summed = termsSql(
    { terms, shared: [] },
    ({ op, weights }) => ({
      kind: 'project',
      child: op,
      sets: false,
      columns: [...columns.map((id) => ({ id, expr: col(id) })), { id: '_seg_w', expr: weightOf(weights) }],
    }),
    [...columns, '_seg_w'],
    options,
  );
  const list = columns.map(quoteIdentifier);
  return `${quoteIdentifier(name)} AS MATERIALIZED (
  SELECT ${[...list, 'sign("_seg_n")::integer AS "_seg_w"'].join(', ')} FROM (
    SELECT DISTINCT ON ("_seg_alike") * FROM (
      SELECT *, sum("_seg_w") OVER (PARTITION BY "_seg_alike") AS "_seg_n" FROM (
        SELECT *, ROW(${list.join(', ')})::text COLLATE "C" AS "_seg_alike" FROM (
${summed}
        ) AS "_seg_terms"
      ) AS "_seg_rows"
    ) AS "_seg_sums" WHERE "_seg_n" <> 0
  ) AS "_seg_alikes", generate_series(1, abs("_seg_n"))
)`;
}
