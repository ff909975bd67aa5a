/** Keys that nothing but the rows themselves can prove: which of their values stand in several rows, and since when. */
import type { Connection } from '../engines/connection.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { CHANGES_SINCE } from './nodes.ts';
import type { DeployedNode } from './nodes.ts';

/** The setting of a node whose key is watched. */
export const KEY_WATCHED = 'key_watched';

/** Values of a key that several rows have. */
export interface Duplicates {
  /** How many values. */
  readonly count: number;
  /** A few of them, as JSON objects. */
  readonly samples: readonly string[];
}

export function isWatched(node: Pick<DeployedNode, 'settings'>): boolean {
  return node.settings[KEY_WATCHED] === true;
}

/** Of a watched key, its values that were in several rows in any state after `after` up to `upto`; now, when left out. */
export async function duplicatesOf(
  db: Connection,
  stateSchema: string,
  node: Pick<DeployedNode, 'id'>,
  between: { readonly after: string; readonly upto: string } | null = null,
): Promise<Duplicates> {
  const table = `${quoteIdentifier(stateSchema)}.duplicate_key`;
  const when =
    between === null
      ? 'd.until IS NULL'
      : 'd.since <= $3::bigint AND (d.until IS NULL OR d.until > $2::bigint)';
  const { rows } = await db.query<{ count: number; samples: string[] }>(
    `SELECT count(*)::integer AS count,
       to_jsonb(ARRAY(SELECT left(d.key, 200) FROM ${table} AS d WHERE d.node = $1 AND ${when} ORDER BY d.since, d.key LIMIT 3)) AS samples
     FROM (SELECT DISTINCT d.hash FROM ${table} AS d WHERE d.node = $1 AND ${when}) AS found`,
    [node.id, ...(between === null ? [] : [between.after, between.upto])],
  );
  return rows[0]!;
}

/** Forgets what was over before the changes that are kept. */
export async function forgetDuplicates(tx: Connection, stateSchema: string): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  await tx.query(
    `DELETE FROM ${seg}.duplicate_key AS d WHERE d.until IS NOT NULL AND NOT EXISTS (
       SELECT FROM ${seg}.node AS n WHERE n.id = d.node AND n.keep_changes
         AND d.until > coalesce((n.settings ->> $1::text)::bigint, 0))`,
    [CHANGES_SINCE],
  );
}

/** `is not unique: 2 values stand in several rows each, such as {"email":"a@x"}` */
export function notUnique(key: readonly string[], { count, samples }: Duplicates): string {
  const some = `${samples.slice(0, 3).join(', ')}${count > 3 ? ', ...' : ''}`;
  return `(${key.join(', ')}) is not unique: ${count === 1 ? 'one value stands' : `${count} values stand`} in several rows (${some})`;
}

/**
 * Nobody can follow rows by a key that does not tell them apart: of two rows one would be lost.
 * @throws SegError SEG717
 */
export async function requireUnique(
  db: Connection,
  stateSchema: string,
  node: DeployedNode,
  between: { readonly after: string; readonly upto: string } | null = null,
): Promise<void> {
  if (!isWatched(node)) return;
  const found = await duplicatesOf(db, stateSchema, node, between);
  if (found.count === 0) return;
  throw segError('SEG717', `the unique_key of ${node.label} ${notUnique(node.key, found)}`, {
    hint: 'Add columns to the unique_key, or make the query give one row for each; then begin with a snapshot.',
    exitCode: 1,
  });
}
