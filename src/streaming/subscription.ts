/** The subscription behind a model's feed on RisingWave: made when somebody follows, and kept over rebuilds. */
import { shortName } from '../sql/short-name.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { Connection } from '../engines/connection.ts';
import type { Dialect } from './dialect.ts';
import type { FollowedRelation, Subscription } from './followed.ts';
import { subscriptionId, subscriptionOf } from './retention.ts';
import { engineTime } from './stored-node.ts';
import type { NodeStore, StoredNode } from './stored-node.ts';

/**
 * A deployed node whose changes the engine can tell.
 * @throws SegError SEG704 for one that is not deployed, SEG705 for a plain view
 */
export async function followedRelation(
  store: NodeStore,
  uniqueId: string,
): Promise<FollowedRelation & { readonly stored: StoredNode }> {
  const nodes = await store.read();
  const node = nodes.get(uniqueId);
  if (node === undefined) {
    const name = uniqueId.split('.').at(-1) ?? '';
    const names = [...nodes.values()].map((other) => other.name);
    throw segError('SEG704', `"${name}" is not deployed, so it has no change feed`, {
      hint: didYouMean(name, names) ?? 'Run "seg build" first.',
      exitCode: 1,
    });
  }
  if (node.kind === 'view') {
    throw segError('SEG705', `${node.label} is a view, which has no change feed`, {
      hint: 'Materialize the model as "materialized_view" to follow it.',
      exitCode: 1,
    });
  }
  return { label: node.label, relation: node.relation, key: node.key, stored: node };
}

/** Makes the subscription where it is missing. */
export async function ensureSubscription(
  db: Connection,
  dialect: Dialect,
  store: NodeStore,
  node: StoredNode,
): Promise<Subscription> {
  const uniqueId = subscriptionId(node.uniqueId);
  const relation = { schema: node.relation.schema, name: shortName(`${node.relation.name}__changes`) };
  const of = subscriptionOf(node.relation, node.retention);
  const { rows } = await db.query<{ name: string }>(dialect.objectsIn(relation.schema));
  if (rows.some(({ name }) => name === relation.name))
    return { relation, since: (await store.read()).get(uniqueId)?.since ?? 0 };
  const since = await engineTime(db, dialect);
  const statement = dialect.createSubscription(relation, of);
  if (statement !== null) await db.exec(statement);
  await store.write([
    {
      uniqueId,
      name: relation.name,
      label: `the change feed of ${node.label}`,
      kind: 'subscription',
      relation,
      reads: [node.uniqueId],
      definition: of,
      columns: [],
      key: [],
      onConflict: 'last',
      indexes: [],
      fingerprint: 'subscription',
      ...(node.retention === undefined ? {} : { retention: node.retention }),
      since,
    },
  ]);
  return { relation, since: since ?? 0 };
}
