/**
 * `--where` and `--columns` of a feed of a streaming engine. The condition is judged by an embedded PostgreSQL of this process, over
 * the rows as they come: so it means the same on every engine, and a reader may go on from any position with another condition.
 */
import { stringifyJson } from '../json/exact-json.ts';
import { checkView, conditionOnJson, narrowChanges, narrowRow } from '../feeds/feed-view.ts';
import type { FeedView } from '../feeds/feed-view.ts';
import type { Change, JsonRow } from '../changelog/change.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { DatabaseError } from '../engines/connection.ts';
import type { PGliteDatabase } from '../engines/pglite/connection.ts';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import type { FeedItem } from '../feeds/hub.ts';
import { quoteIdentifier, quoteRelation } from '../sql/quote.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { copiedType } from './replica/replica-project.ts';

const SCHEMA = 'seg_feed';

export interface FilteredRelation {
  readonly name: string;
  readonly label: string;
  /** As the engine calls them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/**
 * @param items of the whole relation
 * @throws SegError SEG710 for text that is not one condition or that fails on a row, SEG711 for an unknown column
 */
export async function* filterFeed(
  items: AsyncIterable<FeedItem>,
  relation: FilteredRelation,
  view: FeedView,
): AsyncGenerator<FeedItem> {
  const node = nodeOf(relation);
  await checkView(node, view);
  const filter = view.where === undefined ? undefined : await RowFilter.open(node, relation, view);
  try {
    for await (const item of items) {
      if ('snapshot' in item) {
        const kept = await rowsThrough(filter, item.snapshot.rows);
        yield { snapshot: { ...item.snapshot, rows: kept.map((row) => narrowRow(row, view)) } };
        continue;
      }
      const changes = narrowChanges(await changesThrough(filter, item.batch.changes), view);
      if (changes.length > 0) yield { batch: { ...item.batch, changes } };
    }
  } finally {
    await filter?.close();
  }
}

async function rowsThrough(filter: RowFilter | undefined, rows: readonly JsonRow[]): Promise<JsonRow[]> {
  if (filter === undefined) return [...rows];
  const passes = await filter.passes(rows);
  return rows.filter((_, i) => passes[i]);
}

/** A row that begins to pass is an insert for this reader, one that ceases to a delete. */
async function changesThrough(
  filter: RowFilter | undefined,
  changes: readonly Change[],
): Promise<readonly Change[]> {
  if (filter === undefined) return changes;
  const sides = await filter.passes(changes.flatMap(({ before, row }) => [before ?? {}, row ?? {}]));
  return changes.flatMap((change, i): Change[] => {
    const before = change.before !== null && sides[2 * i] === true ? change.before : null;
    const row = change.row !== null && sides[2 * i + 1] === true ? change.row : null;
    if (before === null && row === null) return [];
    const op = before === null ? 'insert' : row === null ? 'delete' : 'update';
    return [{ ...change, op, before, row }];
  });
}

class RowFilter {
  readonly #db: PGliteDatabase;
  readonly #condition: string;

  private constructor(db: PGliteDatabase, condition: string) {
    this.#db = db;
    this.#condition = condition;
  }

  static async open(node: DeployedNode, relation: FilteredRelation, view: FeedView): Promise<RowFilter> {
    const db = await openMemoryDatabase();
    const columns = relation.columns.map(({ name, type }) => `${quoteIdentifier(name)} ${copiedType(type)}`);
    await db.exec(
      `CREATE SCHEMA ${SCHEMA}; CREATE TABLE ${quoteRelation({ schema: node.schema, name: node.relation })} (${columns.join(', ')})`,
    );
    return new RowFilter(db, conditionOnJson(node, view, 'e.value'));
  }

  async passes(rows: readonly JsonRow[]): Promise<boolean[]> {
    if (rows.length === 0) return [];
    try {
      const { rows: found } = await this.#db.query<{ passes: boolean }>(
        `SELECT coalesce(${this.#condition}, false) AS passes
         FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS e (value, n) ORDER BY e.n`,
        [stringifyJson(rows)],
      );
      return found.map(({ passes }) => passes);
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      throw segError('SEG710', `the condition of --where fails: ${error.message}`, {
        hint: `Write what would stand behind WHERE: --where "size > 100 and vendor = 3".`,
        exitCode: 1,
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}

/** As checkView and conditionOnJson want to know of it. */
function nodeOf({ name, label, columns }: FilteredRelation): DeployedNode {
  return {
    id: 0,
    uniqueId: '',
    name,
    label,
    kind: 'materialized_view',
    schema: SCHEMA,
    relation: name,
    state: null,
    definition: null,
    reads: [],
    columns: columns.map((column) => ({ ...column, hashable: true })),
    key: [],
    fingerprint: '',
    keepChanges: true,
    settings: {},
  };
}
