/** Which queries must be kept at the cost of a change: what falls back to recomputing without need would else go unseen. */
import type { IncrementalView } from '../../src/incremental/incremental-view.ts';
import type { CaseView } from './trace-runner.ts';

/**
 * Operators with which a query, or a part of it, may be recomputed: those without a partition (one row for the whole table, its
 * first rows, a window over all of it), outer sides without a table (VALUES), and subqueries that could be neither followed
 * nor stored in every nesting. Queries of all other operators are meant not to: how many do is counted.
 */
const mayRecompute: ReadonlySet<string> = new Set([
  'global',
  'window_whole',
  'limit',
  'grouping_sets',
  'scalar',
  'values',
  'lateral_top',
  'lateral_group',
  'compared',
]);

/** Views that recompute although they hold no such operator, themselves or in the plain views they read. */
export function needlesslyRecomputed(
  views: readonly CaseView[],
  created: readonly IncrementalView[],
): string[] {
  const excused = new Set<string>();
  const found: string[] = [];
  for (const { name, sql, plain, constructs } of views) {
    const inherited = views.some((other) => excused.has(other.name) && sql.includes(`"${other.name}"`));
    const free = inherited || (constructs ?? []).some((construct) => mayRecompute.has(construct));
    if (plain === true) {
      if (free) excused.add(name);
      continue;
    }
    const stage = created
      .find((view) => view.name === name)
      ?.stages.find(({ strategy }) => strategy === 'recompute');
    if (stage !== undefined && !free) found.push(`${stage.reason}: ${sql}`);
  }
  return found;
}
