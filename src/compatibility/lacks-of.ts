/**
 * What of a query an engine is known not to take, by rules on PostgreSQL's parse tree. The rules are what the engines' own
 * source and documents say (docs/engines.md); a query without a lack may still be refused by the engine.
 */
import { byteOffsets, parseStatements } from '../sql/parse.ts';
import { isTree } from './lack.ts';
import type { Clause, Lack, Place } from './lack.ts';
import { materializeLacks } from './materialize-lacks.ts';
import { risingwaveLacks } from './risingwave-lacks.ts';

const rules = { risingwave: risingwaveLacks, materialize: materializeLacks } as const;

/** Fields of a tree that are clauses of their own. */
const clauses: Readonly<Record<string, Clause>> = {
  targetList: 'select',
  whereClause: 'where',
  havingClause: 'where',
  quals: 'where',
  groupClause: 'group',
  sortClause: 'order',
  agg_filter: 'filter',
  fromClause: 'from',
};

/**
 * @param query one SELECT, in PostgreSQL's grammar
 * @throws SqlSyntaxError for a query that PostgreSQL's parser does not read. `loadSqlParser` must have been awaited.
 */
export function lacksOf(
  engine: 'risingwave' | 'materialize',
  query: string,
  options: { readonly maintained: boolean },
): Lack[] {
  const lacks: Lack[] = [];
  const place = byteOffsets(query);
  const visit = (value: unknown, clause: Clause, start: number): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, clause, start);
      return;
    }
    if (!isTree(value)) return;
    for (const [kind, node] of Object.entries(value)) {
      const inside = clauses[kind] ?? clause;
      if (isTree(node)) {
        const lack = (what: string, remedy: string, at: unknown = node): void => {
          const found = locationIn(at);
          lacks.push({ what, remedy, offset: found === undefined ? start : place(found) });
        };
        const written = (): string => {
          const found = locationIn(node);
          return found === undefined ? '' : query.slice(place(found));
        };
        const at: Place = { kind, node, clause: inside, maintained: options.maintained, written, lack };
        rules[engine](at);
      }
      visit(node, inside, start);
    }
  };
  for (const statement of parseStatements(query)) visit(statement.node, 'select', statement.start);
  return lacks.sort((a, b) => a.offset - b.offset);
}

/** The first place that a tree tells, in bytes. */
function locationIn(value: unknown): number | undefined {
  if (Array.isArray(value)) {
    for (const item of value) {
      const found = locationIn(item);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!isTree(value)) return undefined;
  const own = value['location'];
  if (typeof own === 'number') return own;
  for (const item of Object.values(value)) {
    const found = locationIn(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
