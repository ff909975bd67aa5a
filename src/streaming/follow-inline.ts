/**
 * `seg subscribe --inline` on a streaming engine: a query as if it were a model. Materialize follows any query; RisingWave follows
 * objects alone, so a view of the query is made for as long as somebody follows it.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { PostgresDatabase } from '../engines/postgres/connection.ts';
import type { FeedItem, FeedRequest } from '../feeds/hub.ts';
import type { Project } from '../project/load.ts';
import { quoteRelation } from '../sql/quote.ts';
import { isNotThereYet, nodeError } from './engine-error.ts';
import { filterFeed } from './feed-filter.ts';
import { followMaterialize } from './follow-materialize.ts';
import { followRisingwave } from './follow-risingwave.ts';
import { Claims } from './claims.ts';
import { dialectOf } from './dialect-of.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { subscriptionOf } from './retention.ts';

export const INLINE_FILE = '<inline>';
const POLL_MS = 500;

/**
 * @param options no position to go on from: a query's changes are kept for nobody
 * @throws SegError SEG407 for a query the engine refuses, SEG703 with a position
 */
export async function* followInlineStreaming(
  db: PostgresDatabase,
  project: Project,
  sql: string,
  options: Omit<FeedRequest, 'model'> = {},
): AsyncGenerator<FeedItem> {
  const dialect = dialectOf(project.target);
  if (dialect === undefined) throw new Error('invariant: the target is a streaming engine');
  if (options.from !== undefined || options.until !== undefined) {
    throw segError('SEG703', 'a query that is followed has no positions to go on from', {
      hint: 'Leave --from and --until out, or write a model and follow that.',
    });
  }
  const query = project.renderInline(sql, INLINE_FILE).text.replace(/[\s;]+$/, '');
  const at = { file: INLINE_FILE, line: 1, column: 1 };
  const label = 'the query';
  const suffix = `__seg_${randomBytes(4).toString('hex')}`;
  const name = `seg_inline${suffix}`;
  const relation = { schema: project.target.schema, name };
  const { where, columns, ...rest } = options;
  const narrowed = async function* (
    items: AsyncGenerator<FeedItem>,
    of: readonly { name: string; type: string }[],
  ): AsyncGenerator<FeedItem> {
    if (where === undefined && columns === undefined) yield* items;
    else yield* filterFeed(items, { name: 'query', label, columns: of }, { where, columns });
  };
  // A run that ends meanwhile sweeps away what looks left behind, but for what somebody holds a claim to.
  const release = await new Claims(db, dialect, stateSchemaOf(project)).take(suffix, {
    signal: options.signal,
  });
  try {
    await db.exec(dialect.createSchema(relation.schema));
    // On Materialize a view costs nothing, and tells the columns.
    await db.exec(
      dialect.createModel({
        name: relation,
        kind: dialect.engine === 'materialize' ? 'view' : 'materialized_view',
        query,
        indexes: [],
      }),
    );
  } catch (error) {
    await release();
    const written = { text: query, sourceMap: null, linesBefore: 1 };
    throw nodeError(error, label, at, dialect.title, { query: written });
  }
  const feed = { schema: relation.schema, name: `seg_changes${suffix}` };
  try {
    const connect = () => db.reserve();
    if (dialect.engine === 'risingwave') {
      const ready = async (): Promise<boolean> => {
        try {
          return (await db.query<{ ready: boolean }>(dialect.readiness(relation))).rows[0]?.ready === true;
        } catch (error) {
          if (error instanceof DatabaseError && isNotThereYet(error)) return false;
          throw error;
        }
      };
      while (!(await ready())) {
        if (options.signal?.aborted === true) return;
        await sleep(POLL_MS);
      }
      await db.exec(dialect.createSubscription(feed, subscriptionOf(relation, undefined))!);
    }
    const { rows: of } = await db.query<{ name: string; type: string }>(dialect.columnsOf(relation));
    const followed = { label, relation, key: [] };
    const items =
      dialect.engine === 'materialize'
        ? followMaterialize(followed, connect, rest)
        : followRisingwave(followed, { relation: feed, since: 0 }, connect, rest);
    yield* narrowed(items, of);
  } finally {
    // A kill leaves them behind; their names are those of objects under construction, which the next run sweeps away.
    if (dialect.engine === 'risingwave') await drop(db, `DROP SUBSCRIPTION IF EXISTS ${quoteRelation(feed)}`);
    await drop(db, dialect.drop(dialect.engine === 'materialize' ? 'view' : 'materialized_view', relation));
    await release();
  }
}

async function drop(db: PostgresDatabase, statement: string): Promise<void> {
  try {
    await db.exec(statement);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
  }
}
