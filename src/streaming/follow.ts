import { stateSchemaOf } from '../deploy/spec.ts';
import type { PostgresDatabase } from '../engines/postgres/connection.ts';
import type { FeedItem, FeedRequest } from '../feeds/hub.ts';
import type { Project } from '../project/load.ts';
import { dialectOf } from './dialect-of.ts';
import { filterFeed } from './feed-filter.ts';
import { followMaterialize } from './follow-materialize.ts';
import { followRisingwave } from './follow-risingwave.ts';
import { NodeStore } from './stored-node.ts';
import { ensureSubscription, followedRelation } from './subscription.ts';

/**
 * Follows a model of a streaming engine until `signal` (or `until`, or with `once` to the present).
 * @throws SegError SEG703..SEG706, SEG710, SEG711 as feeds of the Postgres family do
 */
export async function* followStreaming(
  db: PostgresDatabase,
  project: Project,
  uniqueId: string,
  options: Omit<FeedRequest, 'model'> = {},
): AsyncGenerator<FeedItem> {
  const dialect = dialectOf(project.target);
  if (dialect === undefined) throw new Error('invariant: the target is a streaming engine');
  const store = new NodeStore(db, dialect, stateSchemaOf(project));
  const followed = await followedRelation(store, uniqueId);
  const { where, columns, ...rest } = options;
  const connect = () => db.reserve();
  const items =
    dialect.engine === 'materialize'
      ? followMaterialize(followed, connect, rest)
      : followRisingwave(
          followed,
          await ensureSubscription(db, dialect, store, followed.stored),
          connect,
          rest,
        );
  if (where === undefined && columns === undefined) {
    yield* items;
    return;
  }
  const { rows } = await db.query<{ name: string; type: string }>(dialect.columnsOf(followed.relation));
  const { label, stored } = followed;
  yield* filterFeed(items, { name: stored.name, label, columns: rows }, { where, columns });
}
