/** Queries that are deeper than the planner can follow are refused by name, not by an overflow of the stack. */
import { expect, test } from 'vitest';
import { openMemoryDatabase } from '../engines/pglite/memory.ts';
import { createIncrementalView } from './incremental-view.ts';

test.each([500, 900, 1400])('%i calls within one another', { timeout: 240_000 }, async (depth) => {
  const db = await openMemoryDatabase();
  try {
    await db.exec('CREATE TABLE t (a int)');
    const query = `SELECT ${'coalesce('.repeat(depth)}a${', 0)'.repeat(depth)} AS a FROM t`;
    const made = await createIncrementalView(db, 'deep', query).then(
      () => 'made',
      (error: unknown) => error,
    );
    if (made === 'made') {
      await db.exec('INSERT INTO t VALUES (1), (NULL)');
      expect((await db.query('SELECT a FROM deep ORDER BY a')).rows).toEqual([{ a: 0 }, { a: 1 }]);
    } else {
      expect(made).not.toBeInstanceOf(RangeError);
      expect(String(made)).toMatch(/nested too deeply|nested more than|stack depth limit exceeded/);
    }
  } finally {
    await db.close();
  }
});
