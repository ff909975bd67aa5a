/**
 * Merge: groups whose state a change can be added to.
 *
 *     Δrows  := Σi Q(o1 … oi−1 after, Δoi, oi+1 … on before)       with weights (plan/signed.ts), Q being the aggregate's input
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
import type { KeyWithin } from '../plan/restrict.ts';
import type { Term } from '../plan/signed.ts';
import { col, mapExpr, columnOf, raw } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Aggregate, Expr, Op, Project } from '../relation/ir.ts';
import { exprSql, selectSql } from '../relation/to-sql.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { applyPairsSql } from './apply.ts';
import { partSql } from './merge-parts.ts';
import type { PartSql } from './merge-parts.ts';
import { restrictedRoot } from './rekey.ts';
import { addressColumns, rowHash } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';

/** A variable of the program: several triggers share this SQL statement, so groups that may be read again all are. */
export const AGAIN = '_seg_again';

/** The parts of a merged stage's tree. */
export function mergedTree(stored: StoredStage): { root: Project; aggregate: Aggregate } {
  const root = stored.stage.root;
  if (root?.kind !== 'project' || root.child.kind !== 'aggregate')
    throw new Error('invariant: a merged stage is a projection over an aggregate');
  return { root, aggregate: root.child };
}

/** Whether the stage may have to read groups again. */
export function mayReread({ stage }: StoredStage): boolean {
  return stage.merge?.parts.some(rereads) === true;
}

export interface MergeRequest {
  /** The change of a linear tree over the aggregate's input: what the parts of the state take of each row. */
  readonly termsOf: (linear: Op) => readonly Term[];
  readonly keyWithin: KeyWithin;
  readonly options: SqlOptions;
  readonly epoch: string;
  readonly wanted: boolean;
  /** Whether rows may have gone from the input. */
  readonly removes: boolean;
}

/** One statement; its answer is that of every step (`apply.ts`). */
export function mergeSql(stored: StoredStage, request: MergeRequest): string {
  const { termsOf, keyWithin, options, epoch, wanted, removes } = request;
  const layout = layoutOf(stored);
  const { aggregate } = mergedTree(stored);
  const plan = stored.stage.merge!;
  const keys = addressColumns(stored);
  const keyNames = keys.map((_, i) => `k${i}`);
  const next = new Map<string, string>();
  const parts = plan.parts.map((part, j): PartSql => {
    const sql = partSql(
      part,
      {
        prefix: `p${j}_`,
        stored: (id) => `o${layout.of(id)}`,
        next: (id) => `(${next.get(id)!})`,
      },
      removes,
    );
    for (const { id, sql: text } of sql.next) next.set(id, text);
    return sql;
  });
  const again = parts.flatMap((part) => (part.again === null ? [] : [part.again]));
  const rereadable = mayReread(stored);
  const inputs = parts.flatMap((part) => part.inputs);
  const counted = plan.count === null ? 'true' : `coalesce((${next.get(plan.count)!}) > 0, false)`;
  const reread = [
    ...(rereadable ? [AGAIN] : []),
    ...(again.length > 0 ? [`((${again.join(' OR ')}) AND ${counted})`] : []),
  ];
  const readsAgain = reread.length > 0;

  const taken = takenOf(
    aggregate,
    inputs,
    keys.map((name) => layout.typeOf(name)),
  );
  const rows = termsOf(taken).map(
    ({ op, weights }) =>
      `    ${selectSql(weighed(op, weights), [...keyNames, ...inputs.map(({ name }) => name), '_seg_w'], options)}`,
  );
  const ctes = [`"_seg_rows" AS (\n${rows.join('\n    UNION ALL\n')}\n)`];
  // A kept value that goes and comes in one change has not gone.
  const consolidated = rereadable && removes;
  if (consolidated) ctes.push(netRows([...keyNames, ...inputs.map(({ name }) => name)]));

  const change = parts.flatMap((part) => part.change.map(({ name, sql }) => `${sql} AS ${name}`));
  ctes.push(`"_seg_change" AS MATERIALIZED (
  SELECT ${[...keyNames, ...change].join(', ')}
  FROM ${consolidated ? '"_seg_net"' : '"_seg_rows"'} AS "_seg_r"${keyNames.length === 0 ? '' : ` GROUP BY ${keyNames.join(', ')}`}
)`);

  const flags = parts.flatMap((part) => (part.flags ?? []).map(({ name, sql }) => `, ${sql} AS ${name}`));
  const old = layout.columns.map(({ name }, i) => `"_seg_t".${quoteIdentifier(name)} AS o${i}`);
  const hash = `hash_record_extended(ROW(${keyNames.map((name) => `"_seg_k".${name}`).join(', ')}), 0)`;
  const same = keys.map((name, i) => `"_seg_t".${quoteIdentifier(name)} IS NOT DISTINCT FROM "_seg_k".k${i}`);
  const found =
    keys.length === 0 ? '' : `\n    WHERE ${rowHash(keys, '"_seg_t"')} = ${hash} AND ${same.join(' AND ')}`;
  ctes.push(`"_seg_pair" AS MATERIALIZED (
  SELECT "_seg_k".*, "_seg_o".*${flags.join('')}${readsAgain ? `, ${reread.join(' OR ')} AS "_seg_reread"` : ''}
  FROM "_seg_change" AS "_seg_k" LEFT JOIN LATERAL (
    SELECT "_seg_t".ctid AS "_seg_place", ${old.join(', ')} FROM ${quoteRelation(stored.table)} AS "_seg_t"${found}
    OFFSET 0) AS "_seg_o" ON true
)`);

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
  ctes.push(`"_seg_state" AS MATERIALIZED (
  SELECT "_seg_place", ${[...before, ...keyNames, ...states].join(', ')}
  FROM "_seg_pair" AS "_seg_k"${reading}
)`);

  const made = layout.columns.flatMap(({ name, expr }, i) => {
    if (keys.includes(name)) return [`k${keys.indexOf(name)} AS n${i}`];
    return expr === null ? [] : [`${exprSql(layout.overState(expr), options)} AS n${i}`];
  });
  const plain = layout.columns.flatMap(({ name, expr }, i) =>
    expr === null && !keys.includes(name) ? [`n${i}`] : [],
  );
  const kept = plan.count === null ? 'true' : `coalesce(n${layout.of(plan.count)} > 0, false)`;
  ctes.push(`"_seg_next" AS MATERIALIZED (
  SELECT "_seg_place", ${[...before, ...plain, ...made].join(', ')}, ${kept} AS "_seg_kept" FROM "_seg_state"
)`);
  const values = layout.columns.map(({ name }, i) => `n${i} AS ${quoteIdentifier(name)}`);
  const olds = layout.columns.map((_, i) => `o${i} AS _seg_o${i}`);
  // Intervals that are equal need not be the same: a day and 24 hours.
  const differ = layout.columns.flatMap(({ name, type }, i) => {
    if (keys.includes(name)) return [];
    const cast = type.startsWith('interval') ? '::text' : '';
    return [`n${i}${cast} IS DISTINCT FROM o${i}${cast}`];
  });
  ctes.push(`"_seg_pairs" AS MATERIALIZED (
  SELECT ${values.join(', ')}, ${olds.join(', ')}, "_seg_place", nullif("_seg_kept", false) AS "_seg_new" FROM "_seg_next"
  WHERE CASE WHEN NOT "_seg_kept" THEN "_seg_place" IS NOT NULL ELSE ${['"_seg_place" IS NULL', ...differ].join(' OR ')} END
)`);
  return applyPairsSql(stored, ctes, epoch, wanted, removes || rereadable);
}

/** The input's rows as keys, and as what the parts take of them. */
function takenOf(
  { groups, child }: Aggregate,
  inputs: PartSql['inputs'],
  keyTypes: readonly string[],
): Project {
  const keys = groups.map(({ expr }, i) => ({ id: `k${i}`, expr: raw(['(', expr, `)::${keyTypes[i]!}`]) }));
  const columns = [...keys, ...inputs.map(({ name, expr }) => ({ id: name, expr }))];
  return { kind: 'project', child, sets: false, columns };
}

function weighed(op: Op, weights: readonly string[]): Op {
  const product = weights.flatMap((id, i) => (i === 0 ? [col(id)] : [' * ', col(id)]));
  const taken = outputOf(op).filter((id) => !weights.includes(id));
  return {
    kind: 'project',
    child: op,
    sets: false,
    columns: [...taken.map((id) => ({ id, expr: col(id) })), { id: '_seg_w', expr: raw(product) }],
  };
}

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

interface Layout {
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly hidden: boolean;
    /** What users see, over groups and state; null for a column that is key or state as it is. */
    readonly expr: Expr | null;
  }[];
  /** Place of the column that holds a piece of state. */
  readonly of: (id: string) => number;
  readonly typeOf: (name: string) => string;
  /** For a SELECT of the stage's root: the column of a piece of state under the name `a…`. */
  readonly named: (id: string) => { id: string; name: string };
  readonly overState: (expr: Expr) => Expr;
}

function layoutOf(stored: StoredStage): Layout {
  const { stage } = stored;
  const plan = stage.merge!;
  const { root, aggregate } = mergedTree(stored);
  const byName = new Map(stage.columns.map((column) => [column.name, column]));
  const placeOf = new Map(stored.columns.map(({ name }, i) => [byName.get(name)!.id, i]));
  const holders = new Set([...Object.values(plan.columns), ...stage.key]);
  const columns = stored.columns.map(({ name, type }) => {
    const { id, hidden } = byName.get(name)!;
    const expr = holders.has(id) ? null : root.columns.find((column) => column.id === id)!.expr;
    return { name, type, hidden, expr };
  });
  const of = (id: string): number => placeOf.get(plan.columns[id]!)!;
  const keyPlace = new Map(aggregate.groups.map(({ id }, i) => [id, `k${i}`]));
  return {
    columns,
    of,
    typeOf: (name) => columns.find((column) => column.name === name)!.type,
    named: (id) => ({ id: plan.columns[id]!, name: `a${of(id)}` }),
    overState: (expr) =>
      mapExpr(expr, (node) => {
        const id = columnOf(node);
        return id === undefined ? undefined : raw([keyPlace.get(id) ?? `n${of(id)}`]);
      }),
  };
}
