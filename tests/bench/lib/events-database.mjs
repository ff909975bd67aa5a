// A table of events and one of users, in a PGlite of its own, for views that are not this project's.
import { PGlite } from '@electric-sql/pglite';
import { startParams } from '../../../dist/engines/pglite/settings.js';

/** Opens a new database in a directory. */
export async function openEvents(path, extensions = {}) {
  const db = await PGlite.create({ dataDir: path, startParams, extensions });
  await db.exec(`
    CREATE TABLE users (user_id integer PRIMARY KEY, region text NOT NULL);
    CREATE TABLE events (
      id bigint PRIMARY KEY, user_id integer NOT NULL, segment integer NOT NULL, kind text NOT NULL, value integer NOT NULL
    );
    INSERT INTO users SELECT i, 'region ' || i % 50 FROM generate_series(0, ${USERS - 1}) AS i;`);
  return db;
}

export const USERS = 50_000;

/** SQL of `count` events from number `first` on: a function of the number, so that all contenders see the same. */
export function eventsSql(first, count) {
  return `SELECT i AS id, (hashint8(i) & 2147483647) % ${USERS} AS user_id, (hashint8(i + 1000000007) & 2147483647) % 1000 AS segment,
    CASE WHEN hashint8(i + 7) & 3 = 0 THEN 'buy' ELSE 'view' END AS kind, (hashint8(i + 13) & 2147483647) % 10000 AS value
    FROM generate_series(${first}::bigint, ${first + count - 1}) AS i`;
}

export async function insertEvents(db, first, count) {
  await db.exec(`INSERT INTO events ${eventsSql(first, count)}`);
}

export async function load(db, count) {
  for (let done = 0; done < count; done += 200_000)
    await insertEvents(db, done + 1, Math.min(200_000, count - done));
  await db.exec('VACUUM ANALYZE');
  await db.exec('CHECKPOINT');
}
