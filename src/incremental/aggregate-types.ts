/** What the arguments of a query's aggregates are, asked of the engine: whether an aggregate can be merged depends on it. */
import type { Connection } from '../engines/connection.ts';
import { columnsOf } from '../engines/introspect.ts';
import { isUnstorable } from './comparable.ts';
import type { Catalog } from '../ivm/catalog.ts';
import type { AggregateTypes } from '../ivm/plan/merge-plan.ts';
import { readView } from '../ivm/plan/plan-view.ts';
import type { ViewRequest } from '../ivm/plan/plan-view.ts';
import { freeIds, walkAll } from '../ivm/relation/expression.ts';
import { Unsupported } from '../ivm/relation/ir.ts';
import type { Aggregate, Expr } from '../ivm/relation/ir.ts';
import { selectSql } from '../ivm/relation/to-sql.ts';
import { quoteRelation } from '../sql/quote.ts';

/** By the id of the aggregate's column, which is the same whenever the query is read. */
export async function aggregateTypes(
  connection: Connection,
  request: ViewRequest,
  catalog: Catalog,
): Promise<Map<string, AggregateTypes>> {
  const types = new Map<string, AggregateTypes>();
  if (request.maintenance === 'recompute') return types;
  const found: Aggregate[] = [];
  const parts = new Map<string, string>();
  try {
    const { root, reader } = readView(request, catalog);
    for (const { name, text } of reader.parts) parts.set(`#${name}`, `(${text})`);
    walkAll(root, (op) => {
      // What a correlated subquery aggregates cannot be asked for alone; it is no stage of its own either.
      if (op.kind === 'aggregate' && op.aggregates.length > 0 && freeIds(op).size === 0) found.push(op);
    });
  } catch (error) {
    if (error instanceof Unsupported) return types;
    throw error;
  }
  for (const op of found) {
    for (const [id, of] of await typesWhereStored(connection, op, parts, catalog)) types.set(id, of);
  }
  return types;
}

/** Of values that no table can hold (rows without a type of their own) there are none: what aggregates them is not merged. */
async function typesWhereStored(
  connection: Connection,
  op: Aggregate,
  parts: ReadonlyMap<string, string>,
  catalog: Catalog,
): Promise<[string, AggregateTypes][]> {
  try {
    return await typesOf(connection, op, parts, catalog);
  } catch (error) {
    if (!isUnstorable(error)) throw error;
    if (op.aggregates.length === 1) return [];
    const found: [string, AggregateTypes][] = [];
    for (const aggregate of op.aggregates) {
      const alone = { ...op, aggregates: [aggregate] };
      found.push(...(await typesWhereStored(connection, alone, parts, catalog)));
    }
    return found;
  }
}

async function typesOf(
  connection: Connection,
  op: Aggregate,
  parts: ReadonlyMap<string, string>,
  catalog: Catalog,
): Promise<[string, AggregateTypes][]> {
  const calls = op.aggregates.map(({ id, expr }) => {
    const call = expr['FuncCall'] as { args?: Expr[]; agg_order?: { SortBy: { node: Expr } }[] };
    return { id, args: call.args ?? [], order: (call.agg_order ?? []).map(({ SortBy: key }) => key.node) };
  });
  const asked = calls.flatMap(({ args, order }) => [...args, ...order]);
  let answers: string[] = [];
  if (asked.length > 0) {
    let sql;
    try {
      const columns = asked.map((expr, i) => ({ id: `c${i}`, expr }));
      sql = selectSql(
        { kind: 'project', child: op.child, columns, sets: false },
        columns.map(({ id }) => id),
        {
          from: ({ relation }) => parts.get(relation) ?? relation,
          now: `(SELECT "now" FROM ${quoteRelation(catalog.clock)})`,
        },
      );
    } catch (error) {
      if (error instanceof Unsupported) return [];
      throw error;
    }
    answers = await connection.transaction(async (tx) => {
      await tx.exec(`CREATE TEMPORARY VIEW "_seg_types" AS ${sql}`);
      const columns = await columnsOf(tx, { schema: 'pg_temp', name: '_seg_types' });
      await tx.exec('DROP VIEW pg_temp."_seg_types"');
      return columns.map(({ type }) => type);
    });
  }
  let at = 0;
  const next = (exprs: readonly Expr[]): string[] => exprs.map(() => answers[at++]!);
  return calls.map(({ id, args, order }) => [id, { args: next(args), order: next(order) }]);
}
