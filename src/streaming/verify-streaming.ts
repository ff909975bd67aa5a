/** Every materialized view of a streaming engine against its query, run anew by the same engine. */
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { Verification } from '../verify/verify.ts';
import type { Dialect } from './dialect.ts';
import { NodeStore } from './stored-node.ts';

const SAMPLES = 5;

/**
 * Both sides are one query, so they are of one moment; values are compared as the engine prints them.
 * @param options.ids unique_ids to check; default: every materialized view that is deployed
 */
export async function verifyStreaming(
  db: Connection,
  project: Project,
  dialect: Dialect,
  options: { ids?: ReadonlySet<string>; onResult?: (result: Verification) => void } = {},
): Promise<Verification[]> {
  const store = new NodeStore(db, dialect, stateSchemaOf(project));
  await store.ensure();
  if (dialect.flush !== null) await db.exec(dialect.flush);
  const text = dialect.columnType('text');
  const results: Verification[] = [];
  for (const node of (await store.read()).values()) {
    if (node.kind !== 'materialized_view' || node.definition === null) continue;
    if (options.ids !== undefined && !options.ids.has(node.uniqueId)) continue;
    const started = performance.now();
    const { rows: columns } = await db.query<{ name: string }>(dialect.columnsOf(node.relation));
    const printed = columns.map(({ name }, i) => `${quoteIdentifier(name)}::${text} AS c${i}`).join(', ');
    const grouped = columns.map((_, i) => `c${i}`).join(', ');
    const { rows } = await db.query<Record<string, string | null>>(
      `SELECT ${grouped}, sum(w)::${text} AS w FROM (
SELECT ${printed}, 1 AS w FROM (
${node.definition}
) AS recomputed
UNION ALL
SELECT ${printed}, -1 AS w FROM ${quoteRelation(node.relation)}
) AS both_sides GROUP BY ${grouped} HAVING sum(w) <> 0`,
    );
    const differences = rows.map((row) => ({
      row: Object.fromEntries(columns.map(({ name }, i) => [name, row[`c${i}`] ?? null])),
      weight: Number(row['w']),
    }));
    const { rows: counted } = await db.query<{ n: string }>(
      `SELECT count(*)::${text} AS n FROM ${quoteRelation(node.relation)}`,
    );
    const sum = (sign: 1 | -1): number =>
      differences.reduce((total, { weight }) => total + Math.max(0, sign * weight), 0);
    const result: Verification = {
      uniqueId: node.uniqueId,
      name: node.name,
      rows: Number(counted[0]!.n),
      missing: sum(1),
      extra: sum(-1),
      samples: differences.slice(0, SAMPLES),
      seconds: (performance.now() - started) / 1000,
    };
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}
