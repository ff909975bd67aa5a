/** Every materialized view of a streaming engine against its query, run anew by the same engine. */
import { randomBytes } from 'node:crypto';
import { stateSchemaOf } from '../deploy/spec.ts';
import type { Connection } from '../engines/connection.ts';
import type { Project } from '../project/load.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { Verification } from '../verify/verify.ts';
import type { Dialect } from './dialect.ts';
import { recoveryTimeoutMs } from './patient-connection.ts';
import { NodeStore } from './stored-node.ts';
import type { StoredNode } from './stored-node.ts';
import { untilComplete } from './wait-for-object.ts';
import { objectOf } from '../json/member-order.ts';

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
    const differing = (from: string): string => `SELECT ${grouped}, sum(w)::${text} AS w FROM (
SELECT ${printed}, 1 AS w FROM ${from} AS recomputed
UNION ALL
SELECT ${printed}, -1 AS w FROM ${quoteRelation(node.relation)}
) AS both_sides GROUP BY ${grouped} HAVING sum(w) <> 0`;
    const rows = await recomputed(
      db,
      dialect,
      node,
      async (from) => (await db.query<Record<string, string | null>>(differing(from))).rows,
    );
    const differences = rows.map((row) => ({
      row: objectOf(columns.map(({ name }, i) => [name, row[`c${i}`] ?? null])),
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

/**
 * RisingWave 2.8 answers a question with several DISTINCT aggregates wrong where one is of a key, and keeps a view of it right: such a query is
 * computed as a view of its own, which is dropped again (after a kill the next run sweeps it away).
 * @param compare is given what stands behind FROM
 */
async function recomputed<T>(
  db: Connection,
  dialect: Dialect,
  node: StoredNode,
  compare: (from: string) => Promise<T>,
): Promise<T> {
  if (dialect.engine !== 'risingwave' || !/\(\s*distinct\b/i.test(node.definition ?? ''))
    return compare(`(\n${node.definition}\n)`);
  const name = { schema: node.relation.schema, name: `seg_verify__seg_${randomBytes(4).toString('hex')}` };
  await db.exec(
    dialect.createModel({ name, kind: 'materialized_view', query: node.definition!, indexes: [] }),
  );
  try {
    await untilComplete({
      ...{ db, dialect, relation: name, signal: undefined, onProgress: () => undefined },
      node: { label: node.label, at: { file: '', line: 1, column: 1 } },
      recoveryTimeoutMs: recoveryTimeoutMs({}),
    });
    if (dialect.flush !== null) await db.exec(dialect.flush);
    return await compare(quoteRelation(name));
  } finally {
    await db.exec(dialect.drop('materialized_view', name));
  }
}
