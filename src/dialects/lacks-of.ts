/**
 * What of a query an engine is known to refuse or to answer otherwise, and the query written so that it does not. The rules are what the engines'
 * own source and documents say, and what a live server answered (docs/engines.md); a query without a lack may still be
 * refused by the engine.
 */
import type { Rendered } from '../jinja/template-engine.ts';
import { materializeRules } from './materialize-rules.ts';
import { QueryText } from './query-text.ts';
import { risingwaveRules } from './risingwave-rules.ts';
import { rewriteQuery } from './rewrite.ts';
import type { Lack, Rule } from './rule.ts';
import { findLacks } from './walk.ts';
import type { QueryOptions } from './walk.ts';

export type RuledEngine = 'risingwave' | 'materialize';

export const rules: Readonly<Record<RuledEngine, readonly Rule[]>> = {
  risingwave: risingwaveRules,
  materialize: materializeRules,
};

/** The engine of a target type, when it has rules. */
export function ruledEngine(type: string): RuledEngine | undefined {
  return type === 'risingwave' || type === 'materialize' ? type : undefined;
}

/**
 * @param query one SELECT, in PostgreSQL's grammar
 * @throws SqlSyntaxError for a query that PostgreSQL's parser does not read. `loadSqlParser` must have been awaited.
 */
export function lacksOf(engine: RuledEngine, query: string, options: QueryOptions): Lack[] {
  return findLacks(new QueryText(query), rules[engine], options);
}

/** The query as the engine is to get it. `loadSqlParser` must have been awaited. */
export function writtenFor(engine: RuledEngine, query: Rendered, options: QueryOptions): Rendered {
  return rewriteQuery(query, rules[engine], options);
}
