/** One look at the changelog for the followers of several models. */
import type { ChangeBatch, Position } from '../changelog/change.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { duplicatesOf, KEY_WATCHED } from '../state/duplicate-keys.ts';
import type { DeployedNode } from '../state/nodes.ts';
import { batchesOf, MOST_BYTES, MOST_CHANGES } from './feed.ts';
import { epochOf, positionOf } from './position.ts';

export interface Look {
  /** The last committed step; everything up to there was looked at. */
  readonly position: Position;
  /**
   * By model: its batches since the position that was asked for, and the bytes of their rows as they are stored. `null`: too much to be read for
   * everybody, or the model is gone, or its key is not unique; whoever follows it reads in pages of its own, or is told what is wrong.
   */
  readonly found: ReadonlyMap<string, { readonly batches: ChangeBatch[]; readonly bytes: number } | null>;
}

interface Counted {
  readonly epoch: string;
  readonly model: string | null;
  readonly id: number;
  readonly key: string[];
  readonly columns: DeployedNode['columns'];
  readonly watched: boolean;
  readonly changes: number;
  readonly bytes: number;
}

/**
 * What models have changed since each was looked at. Where nothing has, it is one query that reads no row; rows are read up to
 * a page of them, all models together.
 */
export async function lookForChanges(
  db: Connection,
  stateSchema: string,
  since: ReadonlyMap<string, Position>,
): Promise<Look> {
  const seg = quoteIdentifier(stateSchema);
  // A statement sees one state: the steps it finds are not beyond the epoch it finds.
  const { rows } = await db.query<Counted>(
    `SELECT e.epoch::text AS epoch, w.model, w.id, w.key, w.columns, w.watched, w.changes, w.bytes
     FROM ${seg}.epoch AS e
     LEFT JOIN (SELECT s.model, n.id, to_jsonb(n.key) AS key, n.columns, n.settings ? $2::text AS watched, f.changes, f.bytes
                FROM jsonb_to_recordset($1::jsonb) AS s (model text, since bigint)
                JOIN ${seg}.node AS n ON n.unique_id = s.model AND n.kind = 'materialized_view'
                CROSS JOIN LATERAL (SELECT count(*)::integer AS changes, coalesce(sum(x.bytes), 0)::float8 AS bytes
                                    FROM (SELECT pg_column_size(c."row") AS bytes FROM ${seg}.changelog AS c
                                          WHERE c.node = n.id AND c.epoch > s.since LIMIT ${MOST_CHANGES + 1}) AS x) AS f
               ) AS w ON true`,
    [
      JSON.stringify([...since].map(([model, at]) => ({ model, since: epochOf(at).toString() }))),
      KEY_WATCHED,
    ],
  );
  const position = positionOf(rows[0]!.epoch);
  const found: Map<string, { batches: ChangeBatch[]; bytes: number } | null> = new Map(
    [...since.keys()].map((model) => [model, null]),
  );
  const read: Counted[] = [];
  let [changes, bytes] = [0, 0];
  for (const row of rows) {
    if (row.model === null) continue;
    if (row.changes === 0) found.set(row.model, { batches: [], bytes: 0 });
    if (row.changes === 0 || changes + row.changes > MOST_CHANGES || bytes + row.bytes > MOST_BYTES) continue;
    if (row.watched && (await isAmbiguous(db, stateSchema, row, since))) continue;
    changes += row.changes;
    bytes += row.bytes;
    read.push(row);
  }
  if (read.length > 0) {
    const batches = await readBatches(db, seg, read, since, rows[0]!.epoch);
    read.forEach(({ model, bytes: size }, n) => found.set(model!, { batches: batches[n]!, bytes: size }));
  }
  return { position, found };
}

/** Whether the key did not tell rows apart meanwhile, so that readers must be told. */
async function isAmbiguous(
  db: Connection,
  stateSchema: string,
  { id, model, epoch }: Counted,
  since: ReadonlyMap<string, Position>,
): Promise<boolean> {
  const between = { after: epochOf(since.get(model!)!).toString(), upto: epoch };
  return (await duplicatesOf(db, stateSchema, { id }, between)).count > 0;
}

async function readBatches(
  db: Connection,
  seg: string,
  models: readonly Counted[],
  since: ReadonlyMap<string, Position>,
  upto: string,
): Promise<ChangeBatch[][]> {
  const { rows } = await db.query<{
    node: number;
    epoch: string;
    at: string;
    row: string;
    weight: number;
  }>(
    `SELECT c.node, c.epoch::text, to_json(s.at AT TIME ZONE 'UTC') #>> '{}' || 'Z' AS at, c."row"::text AS "row", sum(c.weight)::integer AS weight
     FROM jsonb_to_recordset($1::jsonb) AS m (node integer, since bigint)
     JOIN ${seg}.changelog AS c ON c.node = m.node AND c.epoch > m.since AND c.epoch <= $2::bigint
     JOIN ${seg}.step AS s ON s.epoch = c.epoch
     GROUP BY c.node, c.epoch, s.at, c."row" HAVING sum(c.weight) <> 0
     ORDER BY c.node, c.epoch, weight, c."row"`,
    [
      JSON.stringify(
        models.map(({ id, model }) => ({ node: id, since: epochOf(since.get(model!)!).toString() })),
      ),
      upto,
    ],
  );
  return models.map(({ id, key, columns }) =>
    batchesOf(
      rows.filter(({ node }) => node === id),
      { key, columns },
    ),
  );
}
