/**
 * Merge: groups whose state a change can be added to.
 *
 *     Δrows  := ΔQ, with weights (plan/signed.ts), Q being the aggregate's input
 *     ΔS(g)  := what the rows of group g amount to, those that went counted against those that came
 *     S(g)   := S(g) + ΔS(g), updated in place; a group without rows goes
 *
 * Only groups whose visible row is another one afterwards hand on a change. Where a kept value goes (a minimum, the first row),
 * the group is read again from the tables. Sources: the counting algorithm (Gupta, Mumick, Subrahmanian, SIGMOD 1993);
 * DBToaster (Koch et al., VLDB Journal 2014).
 *
 * Cost: the groups touched, one probe each. The update leaves the key alone, so it needs no new index entry (HOT).
 */
import { rereads } from '../plan/merge-plan.ts';
import { exprSql, selectSql } from '../relation/to-sql.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { applyPairsSql } from './apply.ts';
import { mergeIntoSql } from './merge-into.ts';
import { changeSelect, changedRows, countedRows, sameGroup, stateParts } from './merge-change.ts';
import type { MergeRequest } from './merge-change.ts';
import { layoutOf } from './merge-layout.ts';
import { restrictedRoot } from './rekey.ts';
import { AGAIN, answering } from './statement.ts';
import type { StepStatement } from './statement.ts';
import { addressColumns } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';

/** Whether the stage may have to read groups again. */
export function mayReread({ stage }: StoredStage): boolean {
  return stage.merge?.parts.some(rereads) === true;
}

/** What a step runs: one pass by MERGE where nobody reads the change, else a statement that answers it. */
export function mergeStatement(stored: StoredStage, request: MergeRequest): StepStatement {
  const quick = mergeIntoSql(stored, request);
  if (quick === null) return answering(mergeSql(stored, request));
  return { general: mayReread(stored) ? mergeSql(stored, request) : null, quick };
}

/** One statement; its answer is that of every step (`apply.ts`). */
export function mergeSql(stored: StoredStage, request: MergeRequest): string {
  const { keyWithin, options, epoch, wanted, removes } = request;
  const layout = layoutOf(stored);
  const plan = stored.stage.merge!;
  const keys = addressColumns(stored);
  const keyNames = keys.map((_, i) => `k${i}`);
  const { parts, next } = stateParts(plan, removes, (id) => `o${layout.of(id)}`);
  const again = parts.flatMap((part) => (part.again === null ? [] : [part.again]));
  const rereadable = mayReread(stored);
  const inputs = parts.flatMap((part) => part.inputs);
  const counted = plan.count === null ? 'true' : `coalesce((${next.get(plan.count)!}) > 0, false)`;
  const reread = [
    ...(rereadable ? [AGAIN] : []),
    ...(again.length > 0 ? [`((${again.join(' OR ')}) AND ${counted})`] : []),
  ];
  const readsAgain = reread.length > 0;

  // A kept value that goes and comes in one change has not gone.
  const consolidated = removes && plan.parts.some((part) => part.kind !== 'list' && rereads(part));
  const ctes = [`"_seg_rows" AS (\n${changedRows(stored, parts, layout, request, consolidated)}\n)`];
  if (consolidated) ctes.push(netRows([...keyNames, ...inputs.map(({ name }) => name)]));

  const changeOf = changeSelect(parts, keyNames, consolidated ? '"_seg_net"' : '"_seg_rows"');
  const flags = parts.flatMap((part) => (part.flags ?? []).map(({ name, sql }) => `, ${sql} AS ${name}`));
  const old = layout.columns.map(({ name }, i) => `"_seg_t".${quoteIdentifier(name)} AS o${i}`);
  const found = keys.length === 0 ? '' : `\n    WHERE ${sameGroup(stored)}`;
  const counts = parts.flatMap((part) => (part.counts === undefined ? [] : [part.counts]));
  const counting = counts.map((of, i) => countedRows(stored, of, `_seg_n${i}`, layout, request)).join('');
  const pairOf = `
  SELECT "_seg_k".*, "_seg_o".*${counts.map((_, i) => `, "_seg_n${i}".*`).join('')}${flags.join('')}${readsAgain ? `, ${reread.join(' OR ')} AS "_seg_reread"` : ''}
  FROM ${fenced(changeOf, '_seg_k')} LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", ${old.join(', ')} FROM ${quoteRelation(stored.table)} AS "_seg_t"${found}
    OFFSET 0) AS "_seg_o" ON true${counting}`;

  const states = [...next].map(([id, sql]) => {
    const i = layout.of(id);
    const value = readsAgain ? `CASE WHEN "_seg_k"."_seg_reread" THEN "_seg_a".a${i} ELSE ${sql} END` : sql;
    return `(${value})::${layout.columns[i]!.type} AS n${i}`;
  });
  const before = layout.columns.map((_, i) => `o${i}`);
  const reading = readsAgain
    ? ` LEFT JOIN LATERAL (
    SELECT * FROM (
      ${selectSql(
        restrictedRoot(stored, keyWithin),
        [...next.keys()].map((id) => layout.named(id)),
        options,
      )}
    ) AS "_seg_q" WHERE "_seg_k"."_seg_reread" OFFSET 0) AS "_seg_a" ON true`
    : '';
  const stateOf = `
  SELECT "_seg_place", ${[...before, ...keyNames, ...states].join(', ')}
  FROM ${fenced(pairOf, '_seg_k')}${reading}`;

  const made = layout.columns.flatMap(({ name, expr }, i) => {
    if (keys.includes(name)) return [`k${keys.indexOf(name)} AS n${i}`];
    return expr === null ? [] : [`${exprSql(layout.overState(expr), options)} AS n${i}`];
  });
  const plain = layout.columns.flatMap(({ name, expr }, i) =>
    expr === null && !keys.includes(name) ? [`n${i}`] : [],
  );
  const kept = plan.count === null ? 'true' : `coalesce(n${layout.of(plan.count)} > 0, false)`;
  const nextOf = `
  SELECT "_seg_place", ${[...before, ...plain, ...made].join(', ')}, ${kept} AS "_seg_kept" FROM ${fenced(stateOf, '_seg_s')}`;
  const values = layout.columns.map(({ name }, i) => `n${i} AS ${quoteIdentifier(name)}`);
  const olds = layout.columns.map((_, i) => `o${i} AS _seg_o${i}`);
  // Intervals that are equal need not be the same: a day and 24 hours.
  const differ = (hidden: boolean): string[] =>
    layout.columns.flatMap(({ name, type, ...column }, i) => {
      if (keys.includes(name) || column.hidden !== hidden) return [];
      const cast = type.startsWith('interval') ? '::text' : '';
      return [`n${i}${cast} IS DISTINCT FROM o${i}${cast}`];
    });
  // A list is long: whether it is another one is asked once.
  const seen = ['NOT "_seg_kept"', '"_seg_place" IS NULL', ...differ(false)].join(' OR ');
  const seenOf = `
  SELECT *, ${seen} AS "_seg_seen" FROM ${fenced(nextOf, '_seg_n')}`;
  ctes.push(`"_seg_pairs" AS MATERIALIZED (
  SELECT ${values.join(', ')}, ${olds.join(', ')}, "_seg_place", nullif("_seg_kept", false) AS "_seg_new", "_seg_seen" FROM ${fenced(seenOf, '_seg_v')}
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE ${['"_seg_seen"', ...differ(true)].join(' OR ')} END
)`);
  return applyPairsSql(stored, ctes, epoch, wanted, { mayGo: removes || rereadable, seen: true });
}

/** A step of the computation: each of its columns is computed once for a row, and no row is stored on the way. */
const fenced = (select: string, alias: string): string => `(${select} OFFSET 0) AS "${alias}"`;

/** Rows that came and went alike are none; others stand as often as they count. */
function netRows(names: readonly string[]): string {
  const list = names.join(', ');
  const by = names.length === 0 ? '' : ` GROUP BY ${list}`;
  return `"_seg_net" AS (
  SELECT ${[...names, 'sign("_seg_n")::integer AS "_seg_w"'].join(', ')} FROM (
    SELECT ${[...names, 'sum("_seg_w") AS "_seg_n"'].join(', ')} FROM "_seg_rows"${by} HAVING sum("_seg_w") <> 0
  ) AS "_seg_s", generate_series(1, abs("_seg_n"))
)`;
}
