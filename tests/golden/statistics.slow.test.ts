/**
 * What one event costs the project's models together, counted in rows read, with 2,000 events of history in each source: the same
 * when no table was ever analysed, when all were while they were empty, and when all were as they are.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsRead } from '../rows-read.ts';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { deployProject } from './deploy-project.ts';

const HISTORY = 2000;
/** Rows that one event may read, in all models and sources together. A pass over any source would be many more. */
const MOST = 1500;

const instant = (at: string): string => `'2024-01-01 00:00:00+00'::timestamptz + ${at} * interval '1 minute'`;
const identifiers = (i: string): string =>
  `'id' || ${i} % 5000, CASE ${i} % 2 WHEN 0 THEN 'cookie' ELSE 'email' END`;

/** One row of each source, from an expression for its number. */
const rows: Readonly<Record<string, (i: string) => string>> = {
  segment_events: (i) =>
    `INSERT INTO segment_events (event_id, event_at, user_id, vendor, segment, value, remove)
     SELECT md5('e' || ${i})::uuid, ${instant(i)}, 'user' || ${i} % 5000, ${i} % 3, 'segment' || ${i} % 200, '1', ${i} % 7 = 0`,
  track_events: (i) =>
    `INSERT INTO track_events (message_id, event, user_id, anonymous_id, traits_email, properties, event_at, received_at)
     SELECT 'm' || ${i}, (ARRAY['whitepaper_downloaded', 'community_joined', 'signed_up'])[1 + ${i} % 3], 'user' || ${i} % 5000,
            'a' || ${i} % 5000, 'user' || ${i} % 5000 || '@example.com', '{}', ${instant(i)}, ${instant(i)}`,
  activity_events: (i) =>
    `INSERT INTO activity_events (id, id_type, region, device_type, country, created_at, activity_type, url)
     SELECT ${identifiers(i)}, 'region' || ${i} % 20, 'mobile', 'nl', ${instant(i)}, 'visit', '/' || ${i} % 50`,
  pageviews: (i) =>
    `INSERT INTO pageviews (visitor_id, viewed_at, event, url)
     SELECT 'visitor' || ${i} % 2000, ${instant(i)}, 'pageview', '/' || ${i} % 50`,
  identity_links: (i) =>
    `INSERT INTO identity_links (id_type, id, linked_id_type, linked_id)
     SELECT 'cookie', 'id' || ${i} * 2, 'email', 'id' || ${i} * 2 + 1`,
};
/** A pair of identifiers is linked once, which takes fewer rows. */
const history = (source: string): number => (source === 'identity_links' ? 1500 : HISTORY);

describe.each(['never analysed', 'analysed while empty', 'analysed'] as const)('%s', (when) => {
  let db: PGliteDatabase;
  beforeAll(async () => {
    db = await openMemoryDatabase({ size: 'large' });
    await deployProject(db);
    await db.exec('SET search_path = segmentation');
    await db.exec(
      `UPDATE _seg.clock SET "now" = ${instant(String(HISTORY + 10))} WHERE "now" < ${instant('0')}`,
    );
    if (when === 'analysed while empty') await db.exec('ANALYZE');
    // A session that has planned everything on empty tables.
    for (const row of Object.values(rows)) await db.exec(row('0'));
    for (const [source, row] of Object.entries(rows))
      await db.exec(`${row('i')} FROM generate_series(1, ${history(source) - 1}) AS i`);
    if (when === 'analysed') await db.exec('ANALYZE');
  }, 300_000);
  afterAll(() => db.close());

  test.each(Object.keys(rows))('an event of %s reads a few rows', async (source) => {
    const read = await rowsRead(db, rows[source]!(String(history(source) + 1)));
    const sum = read.reduce((total, { rows: count }) => total + count, 0);
    expect(sum).toBeGreaterThan(0);
    expect(sum, JSON.stringify(read.slice(0, 8))).toBeLessThan(MOST);
  });
});
