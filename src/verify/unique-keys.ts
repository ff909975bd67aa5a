/** Whether each `unique_key` tells the rows of its relation apart. */
import type { Connection } from '../engines/connection.ts';
import { rowAsText } from '../ivm/strategies/recompute.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import { duplicatesOf, isWatched, notUnique } from '../state/duplicate-keys.ts';
import type { Duplicates } from '../state/duplicate-keys.ts';
import { readDeployed } from '../state/nodes.ts';
import type { DeployedNode } from '../state/nodes.ts';

export interface KeyVerification extends Duplicates {
  readonly uniqueId: string;
  readonly name: string;
  /** `the unique_key of model "x" (email) is not unique: ...` */
  readonly message: string;
}

/**
 * Reads the rows of every relation with a key that nothing else proves; answers those whose key is not unique.
 * @param ids unique_ids to check; default: all that are deployed
 */
export async function verifyKeys(
  connection: Connection,
  options: { readonly ids?: ReadonlySet<string>; readonly stateSchema?: string } = {},
): Promise<KeyVerification[]> {
  const { ids, stateSchema = '_seg' } = options;
  return connection.transaction(async (tx) => {
    const found: KeyVerification[] = [];
    for (const node of (await readDeployed(tx, stateSchema)).values()) {
      if (node.kind === 'source' || ids?.has(node.uniqueId) === false) continue;
      if (node.kind === 'materialized_view' && !isWatched(node)) continue;
      found.push(...told(node, await searchDuplicates(tx, node)));
    }
    return found;
  });
}

/** The same at the cost of what is found, for maintained models; relations of `read` are read. */
export async function ambiguousKeys(
  tx: Connection,
  stateSchema: string,
  read: ReadonlySet<string>,
): Promise<KeyVerification[]> {
  const found: KeyVerification[] = [];
  for (const node of (await readDeployed(tx, stateSchema)).values()) {
    if (isWatched(node)) found.push(...told(node, await duplicatesOf(tx, stateSchema, node)));
    else if (read.has(node.uniqueId) && (node.kind === 'view' || node.kind === 'table'))
      found.push(...told(node, await searchDuplicates(tx, node)));
  }
  return found;
}

function told(node: DeployedNode, duplicates: Duplicates): KeyVerification[] {
  if (duplicates.count === 0) return [];
  const message = `the unique_key of ${node.label} ${notUnique(node.key, duplicates)}`;
  return [{ uniqueId: node.uniqueId, name: node.name, message, ...duplicates }];
}

/** Groups all rows by the key. */
async function searchDuplicates(tx: Connection, node: DeployedNode): Promise<Duplicates> {
  if (node.key.length === 0) return { count: 0, samples: [] };
  const columns = node.columns.filter(({ name }) => node.key.includes(name));
  const values = columns.map(({ name, hashable }) => `t.${quoteIdentifier(name)}${hashable ? '' : '::text'}`);
  const { rows } = await tx.query<{ count: number; key: string }>(
    `SELECT (count(*) OVER ())::integer AS count, (array_agg(left(${rowAsText({ columns }, 't')}, 200)))[1] AS key
     FROM ${quoteRelation({ schema: node.schema, name: node.relation })} AS t
     GROUP BY ${values.join(', ')} HAVING count(*) > 1 LIMIT 3`,
  );
  return { count: rows[0]?.count ?? 0, samples: rows.map(({ key }) => key) };
}
