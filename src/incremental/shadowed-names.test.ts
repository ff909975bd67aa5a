/** Tables, types, functions and operators of the user's that bear the names of PostgreSQL's. */
import { expect, it } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView, dropIncrementalView } from './incremental-view.ts';

it('neither seg nor its programs take one for the other', async () => {
  const db = await openMemoryDatabase();
  try {
    await db.exec(`
      SET search_path = public, pg_catalog;
      CREATE TABLE public.name (id int, oid int); CREATE TABLE public.text (id int, v int); CREATE TABLE public.oid (id int, count int);
      CREATE TYPE public.bigint AS ENUM ('a'); CREATE TYPE public.regclass AS (a int); CREATE TYPE public.jsonb AS (a int); CREATE DOMAIN public.int4 AS pg_catalog.int8;
      CREATE FUNCTION public.count(pg_catalog.int4) RETURNS pg_catalog.int4 LANGUAGE sql IMMUTABLE AS 'SELECT -1';
      CREATE FUNCTION public.coalesced() RETURNS pg_catalog.int4 LANGUAGE sql IMMUTABLE AS 'SELECT -1';
      CREATE FUNCTION public.set_config(pg_catalog.text, pg_catalog.text, boolean) RETURNS pg_catalog.text LANGUAGE sql AS $$ SELECT 'x' $$;
      CREATE FUNCTION public.never(pg_catalog.text, pg_catalog.text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
      CREATE OPERATOR public.= (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text, FUNCTION = public.never);
      CREATE TEMPORARY TABLE pg_class (a pg_catalog.int8); CREATE TEMPORARY TABLE boolean (a pg_catalog.int8);`);
    const query =
      'SELECT n.oid, count(*) AS n, sum(t.v) AS total, min(o.count) AS least FROM name n JOIN text t ON t.id = n.id LEFT JOIN oid o ON o.id = n.id GROUP BY n.oid';
    await createIncrementalView(db, 'v', query, { changes: true });
    await createIncrementalView(db, 'w', 'SELECT DISTINCT ON (id) id, v FROM text ORDER BY id, v DESC');
    for (const statement of [
      'INSERT INTO name VALUES (1, 7), (2, 7), (3, 8)',
      'INSERT INTO text SELECT i % 4, i FROM generate_series(1, 9) AS i',
      'INSERT INTO public.oid VALUES (1, 5), (2, 6)',
      'UPDATE text SET v = v + 1 WHERE id = 1',
      'DELETE FROM name WHERE id = 3',
      'TRUNCATE public.oid',
    ]) {
      await db.exec(statement);
      const { rows } = await db.query(
        `WITH wanted AS (${query.replace('count(*)', 'pg_catalog.count(*)')}) (TABLE v EXCEPT TABLE wanted) UNION ALL (TABLE wanted EXCEPT TABLE v)`,
      );
      expect({ statement, rows }).toEqual({ statement, rows: [] });
    }
    await dropIncrementalView(db, 'w');
    await dropIncrementalView(db, 'v');
  } finally {
    await db.close();
  }
}, 60_000);
