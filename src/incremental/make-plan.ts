/** A query → its plan against one database: what the engine's catalog says, put before the pure planner. */
import type { Connection } from '../engines/connection.ts';
import { introspect } from '../engines/introspect.ts';
import type { Introspection } from '../engines/introspect.ts';
import type { Catalog, CatalogRelation, RelationName } from '../ivm/catalog.ts';
import { planView, recomputed } from '../ivm/plan/plan-view.ts';
import type { ViewRequest } from '../ivm/plan/plan-view.ts';
import type { Facts } from '../ivm/plan/facts.ts';
import type { Stage } from '../ivm/plan/stage.ts';
import { quoteRelation } from '../sql/quote.ts';
import { aggregateTypes } from './aggregate-types.ts';
import { incomparableColumn } from './comparable.ts';
import { notMaintainable, reservedColumn } from './not-maintainable.ts';
import type { InputTable } from './stored-plan.ts';
import { withinStack } from './within-stack.ts';

export interface PlanRequest {
  readonly sql: string;
  readonly maintenance: 'auto' | 'recompute';
  /** The relations of other maintained views (`"schema"."name"`). */
  readonly maintained: ReadonlySet<string>;
  /** Lists of columns by which no two rows of such a relation are the same. */
  readonly keysOf: (maintained: string) => readonly (readonly string[])[];
  readonly clock: RelationName;
}

export interface MadePlan {
  readonly stages: readonly Stage[];
  readonly request: ViewRequest;
  readonly introspection: Introspection;
  readonly inputs: readonly InputTable[];
  readonly upstream: readonly string[];
  readonly readsClock: boolean;
  readonly catalog: Catalog;
  readonly columnType: (relation: string, column: string) => string | undefined;
  readonly indexesOf: (relation: string) => readonly (readonly string[])[];
}

/** @throws DatabaseError for a query that is not valid, NotMaintainable for one whose inputs cannot be watched */
export async function makePlan(connection: Connection, asked: PlanRequest): Promise<MadePlan> {
  const introspection = await introspect(connection, asked.sql, asked.maintained, asked.clock.schema);
  const clockKey = quoteRelation(asked.clock);
  const parents = new Set(introspection.relations.filter(({ parent }) => parent).map(quoteRelation));
  const relations = new Map<string, CatalogRelation>();
  for (const relation of introspection.relations) {
    const key = quoteRelation(relation);
    const kind = asked.maintained.has(key) ? 'maintained' : relation.kind;
    if (kind === 'other') throw await notMaintainable(connection, relation, asked.sql);
    const reserved = kind === 'maintained' ? undefined : reservedColumn(relation, asked.sql);
    if (reserved !== undefined) throw reserved;
    relations.set(key, { ...relation, key, kind, where: { schema: relation.schema, name: relation.name } });
  }
  const catalog: Catalog = {
    relation: (schema, name) => relations.get(quoteRelation({ schema, name })),
    function: (name) => introspection.functions.get(name),
    clock: asked.clock,
  };
  // A reading of the clock shows as its table, or as the function that reads it.
  const readsClock = relations.has(clockKey) || introspection.functions.has('now');
  const read = [...relations.values()].filter(({ kind, key }) => kind !== 'view' && key !== clockKey);
  const request: ViewRequest = {
    canonical: introspection.canonical,
    columns: introspection.columns.map(({ name }) => name),
    reads: read.map(({ key }) => key),
    readsClock,
    maintenance: asked.maintenance,
  };
  const keysOf = (relation: string): readonly (readonly string[])[] => {
    const found = relations.get(relation);
    return found?.kind === 'table' ? found.keys : [];
  };
  const facts: Facts = (relation) => {
    const found = relations.get(relation);
    if (found === undefined) return undefined;
    const columns = new Map(found.columns.map((column) => [column.name, column]));
    const numbers = found.columns.filter(({ identity }) => identity === true).map(({ name }) => [name]);
    return {
      column: (name) => ({
        type: columns.get(name)?.type,
        notNull: columns.get(name)?.notNull === true,
      }),
      keys: found.kind === 'table' ? [...found.keys, ...numbers] : asked.keysOf(relation),
    };
  };
  const planned = await withinStack(async () => {
    const types = await aggregateTypes(connection, request, catalog);
    return planView(request, catalog, keysOf, facts, (aggregate) => types.get(aggregate));
  });
  const odd = await incomparableColumn(connection, planned, introspection, asked.clock);
  const why = `an intermediate result holds values of type ${odd?.type}, which cannot be ${odd?.type === 'record' ? 'stored' : 'compared'}`;
  return {
    stages: odd === undefined ? planned : [recomputed(request, why)],
    request,
    introspection,
    inputs: read
      .filter(({ kind }) => kind === 'table')
      .map(({ key, where, keys }) => ({
        key,
        table: where,
        keys,
        ...(parents.has(key) ? { parent: true } : {}),
      })),
    upstream: read.filter(({ kind }) => kind === 'maintained').map(({ key }) => key),
    readsClock,
    catalog,
    columnType: (relation, column) =>
      relations.get(relation)?.columns.find(({ name }) => name === column)?.type,
    indexesOf: (relation) => relations.get(relation)?.indexes ?? [],
  };
}
