/** Visits every node of a query's parse tree with what a rule wants to know of its place. */
import type { QueryText } from './query-text.ts';
import type { Clause, Found, Lack, Place, Rule } from './rule.ts';
import { isTree } from './tree.ts';
import { visibleType } from './visible-type.ts';
import type { VisibleType } from './visible-type.ts';

export interface QueryOptions {
  /** The query is a view that is kept up to date, and not a question that is answered once. */
  readonly maintained: boolean;
  /** Declared types of the columns it reads, by name. */
  readonly columns?: ReadonlyMap<string, VisibleType>;
}

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

export function visitQuery(
  text: QueryText,
  options: QueryOptions,
  visit: (place: Place, start: number) => void,
): void {
  const typeOf = (expression: unknown): VisibleType | undefined =>
    visibleType(expression, options.columns ?? new Map());
  const walk = (value: unknown, clause: Clause, start: number, around: Place['around']): void => {
    if (Array.isArray(value)) {
      for (const item of value) walk(item, clause, start, around);
      return;
    }
    if (!isTree(value)) return;
    for (const [kind, node] of Object.entries(value)) {
      const inside = clauses[kind] ?? clause;
      if (isTree(node)) {
        const { maintained } = options;
        visit({ kind, node, wrapped: value, clause: inside, maintained, around, text, typeOf }, start);
      }
      walk(node, inside, start, isTree(node) ? [{ kind, node }, ...around] : around);
    }
  };
  for (const statement of text.statements) walk(statement.node, 'select', statement.start, []);
}

/** What a rule finds at a place. */
export function foundAt(rule: Rule, place: Place): readonly Found[] {
  if (!rule.on.includes(place.kind)) return [];
  const found = rule.find(place);
  if (found === undefined || found === false) return [];
  if (found === true) return [{}];
  return Array.isArray(found) ? (found as readonly Found[]) : [found];
}

/** What rules find in a query, in the order of the text. */
export function findLacks(text: QueryText, rules: readonly Rule[], options: QueryOptions): Lack[] {
  const lacks: Lack[] = [];
  visitQuery(text, options, (place, start) => {
    for (const rule of rules) {
      for (const { what = rule.what, remedy = rule.remedy, at = place.node } of foundAt(rule, place))
        lacks.push({ effect: rule.effect, what, remedy, offset: text.offsetOf(at) ?? start });
    }
  });
  return lacks.sort((a, b) => a.offset - b.offset);
}
