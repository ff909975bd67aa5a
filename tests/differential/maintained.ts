/** Which queries must be kept at the cost of a change: what falls back to recomputing without need would else go unseen. */
import type { IncrementalView } from '../../src/incremental/incremental-view.ts';
import type { Feature } from './features.ts';
import type { CaseView } from './trace-runner.ts';

/**
 * Why a view, or an intermediate result of it, may be recomputed; for no other reason may any, however it is nested. Each is about all
 * rows as ONE partition (no GROUP BY, no PARTITION BY), of which a strategy by keys would read just as much.
 */
const mayRecompute: readonly RegExp[] = [
  // One value that is as long as all rows, or which no state smaller than all of them tells after a delete.
  /^(array_agg|jsonb_agg|jsonb_object_agg|string_agg|mode|percentile_cont|percentile_disc)\((DISTINCT)?\) needs all rows$/,
  // The last digits depend on the order in which the values are added.
  /^(sum|avg|variance|var_\w+|stddev\w*)\(double precision\) needs all rows$/,
  // One more row changes the value of every row.
  /because of (ntile|percent_rank|cume_dist)\(\), which depends on how many rows the partition has$/,
  // One more row at the end changes the value of every row before it.
  /because of a window frame that reaches to the end of the partition$/,
  // How far a row's value looks back is told by other rows, of any number.
  /because of a window frame by RANGE or GROUPS with an offset$/,
  // Values that cannot be told from the row before and the row itself.
  /because of (nth_value\(\) over all rows so far|a window frame with EXCLUDE)/,
  /because of (avg|[a-z_]+)\(\) over all rows so far, which cannot be continued from the row before$/,
  /because of a running sum of values that may be rounded/,
  /because of a window that looks back on a value which another one runs up$/,
  // Two orders of all rows: a place that is the end of one is anywhere in the other.
  /because of windows with different partitions or orders$/,
  /because of a window without ORDER BY$/,
  // No index holds texts of any length in their order.
  /because of an order by values that can be too long for an index \(text\)$/,
  /^ORDER BY \.\.\. LIMIT by a value of type /,
  // Which collation decides is told by the set operation as a whole.
  /a set operation on columns of different collations$/,
];

/** Views that recompute for another reason. */
export function needlesslyRecomputed(
  views: readonly CaseView[],
  created: readonly IncrementalView[],
): string[] {
  return created.flatMap(({ name, stages }) => {
    const view = views.find((each) => each.name === name);
    if (view?.constructs?.some((construct) => rightIsEnough.has(construct)) === true) return [];
    return stages
      .filter(({ strategy, reason }) => strategy === 'recompute' && !excused(reason))
      .map(({ reason }) => `${reason}: ${view?.sql ?? ''}`);
  });
}

/** Groups of constructs that are asked to be right, however they are kept. */
const rightIsEnough: ReadonlySet<string> = new Set<Feature>([
  'guards',
  'subqueries',
  'many_joins',
  'set_returning_keys',
  'constant_keys',
  'distinct_aggregates',
  'long',
  'wide',
]);

const excused = (reason: string): boolean => mayRecompute.some((why) => why.test(reason));
