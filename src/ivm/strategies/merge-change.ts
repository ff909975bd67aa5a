/** The change of a merged stage's input as SQL: its rows, what they amount to in each group, and where a group's row is. */
import type { MergePlan } from '../plan/merge-plan.ts';
import { restrict } from '../plan/restrict.ts';
import type { KeyWithin } from '../plan/restrict.ts';
import { weightOf } from '../plan/signed.ts';
import type { SignedTerms } from '../plan/signed.ts';
import { col, raw } from '../relation/expression.ts';
import { outputOf } from '../relation/ir.ts';
import type { Aggregate, Op, Project } from '../relation/ir.ts';
import { hashOfRow } from '../relation/row-hash.ts';
import { selectSql } from '../relation/to-sql.ts';
import type { SqlOptions } from '../relation/to-sql.ts';
import { quoteIdentifier } from '../../sql/quote.ts';
import { mergedTree } from './merge-layout.ts';
import type { Layout } from './merge-layout.ts';
import { partSql } from './merge-parts.ts';
import type { PartCounts, PartSql } from './merge-part.ts';
import { addressColumns, rowHash } from './stored-stage.ts';
import type { StoredStage } from './stored-stage.ts';
import { termsSql } from './terms-sql.ts';

export interface MergeRequest {
  /** The change of a linear tree over the aggregate's input: what the parts of the state take of each row. */
  readonly termsOf: (linear: Op) => SignedTerms;
  readonly keyWithin: KeyWithin;
  readonly options: SqlOptions;
  readonly epoch: string;
  readonly wanted: boolean;
  /** Whether rows may have gone from the input. */
  readonly removes: boolean;
}

/**
 * The pieces of state in SQL, and the next state of each by its id.
 * @param stored SQL of the stored state, by its id
 */
export function stateParts(
  plan: MergePlan,
  removes: boolean,
  stored: (id: string) => string,
  inline?: true,
): { parts: PartSql[]; next: Map<string, string> } {
  const next = new Map<string, string>();
  const parts = plan.parts.map((part, j): PartSql => {
    const names = { prefix: `p${j}_`, stored, next: (id: string) => `(${next.get(id)!})` };
    const sql = partSql(part, inline === true ? { ...names, inline } : names, removes);
    for (const { id, sql: text } of sql.next) next.set(id, text);
    return sql;
  });
  return { parts, next };
}

/**
 * The rows of the change as keys `k0`, `k1` ... and as what the parts take of them.
 * @param alike whether rows that went are compared with those that came, all that is taken of them
 * @returns a SELECT for each term
 */
export function changedRows(
  stored: StoredStage,
  parts: readonly PartSql[],
  layout: Layout,
  { termsOf, options, removes }: MergeRequest,
  alike = false,
): string {
  const inputs = parts.flatMap((part) => part.inputs);
  const keys = addressColumns(stored);
  const taken = takenOf(
    mergedTree(stored).aggregate,
    inputs,
    keys.map((name) => layout.typeOf(name)),
  );
  const names = [...keys.map((_, i) => `k${i}`), ...inputs.map(({ name }) => name), '_seg_w'];
  const cameOnly = new Set(
    removes && !alike ? inputs.flatMap((input) => (input.cameOnly === true ? [input.name] : [])) : [],
  );
  return termsSql(termsOf(taken), ({ op, weights }) => weighed(op, weights, cameOnly), names, options);
}

/** The condition that the stored row `"_seg_t"` is that of the group `"_seg_k"`, as an index answers it. */
export function sameGroup(stored: StoredStage): string {
  const keys = addressColumns(stored);
  if (keys.length === 0) return 'true';
  const hash = hashOfRow(keys.map((_, i) => `"_seg_k".k${i}`));
  const same = keys.map((name, i) => `"_seg_t".${quoteIdentifier(name)} IS NOT DISTINCT FROM "_seg_k".k${i}`);
  return [`${rowHash(keys, '"_seg_t"')} = ${hash}`, ...same].join(' AND ');
}

/** What the rows amount to in each group. */
export function changeSelect(parts: readonly PartSql[], keyNames: readonly string[], rows: string): string {
  const change = parts.flatMap((part) => part.change.map(({ name, sql }) => `${sql} AS ${name}`));
  const by = keyNames.length === 0 ? '' : ` GROUP BY ${keyNames.join(', ')}`;
  return `SELECT ${[...keyNames, ...change].join(', ')}
  FROM ${rows} AS "_seg_r"${by}`;
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

function weighed(op: Op, weights: readonly string[], cameOnly: ReadonlySet<string>): Op {
  const weight = weightOf(weights);
  const taken = outputOf(op).filter((id) => !weights.includes(id));
  const columns = taken.map((id) => ({
    id,
    expr: cameOnly.has(id) ? raw(['CASE WHEN ', weight, ' > 0 THEN ', col(id), ' END']) : col(id),
  }));
  return {
    kind: 'project',
    child: op,
    sets: false,
    columns: [...columns, { id: '_seg_w', expr: weight }],
  };
}

/** The rows of the group as they are now, counted beside the change (`"_seg_k"`). @returns a lateral join */
export function countedRows(
  stored: StoredStage,
  { columns, counts, wanted }: PartCounts,
  alias: string,
  layout: Layout,
  { keyWithin, options }: MergeRequest,
): string {
  const { child, groups } = mergedTree(stored).aggregate;
  const types = addressColumns(stored).map((name) => layout.typeOf(name));
  const passed = outputOf(child).map((id) => ({ id, expr: col(id) }));
  const rows: Op = { kind: 'project', child, sets: false, columns: [...passed, ...columns] };
  const aggregates = counts.map(({ name, when }) => ({
    id: name,
    expr: raw([when === null ? 'count(*)' : `count(*) FILTER (WHERE ${when})`]),
  }));
  const restricted = restrict(
    { kind: 'aggregate', child: rows, groups, aggregates },
    groups.map(({ id }, i) => ({ expr: col(id), value: `"_seg_k".k${i}`, type: types[i]! })),
    keyWithin,
  );
  const names = counts.map(({ name }) => ({ id: name, name }));
  return ` LEFT JOIN LATERAL (
    SELECT * FROM (${selectSql(restricted, names, options)}) AS "_seg_q" WHERE ${wanted} OFFSET 0) AS "${alias}" ON true`;
}
