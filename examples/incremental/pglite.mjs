// A view that follows its table, in a database inside this process: what pg_ivm does, without an extension.
//   node examples/incremental/pglite.mjs
import { PGlite } from '@electric-sql/pglite';
import {
  createIncrementalView,
  dropIncrementalView,
  explainIncrementalView,
  explanationText,
  readChanges,
} from 'seg/incremental';

const db = await PGlite.create();
await db.exec(`
  CREATE TABLE orders (id integer PRIMARY KEY, customer text NOT NULL, amount integer NOT NULL);
  INSERT INTO orders VALUES (1, 'ann', 10), (2, 'bob', 25);
`);

await createIncrementalView(
  db,
  'order_totals',
  'SELECT customer, count(*) AS orders, sum(amount) AS total FROM orders GROUP BY customer',
  { changes: true },
);
console.log(explanationText(await explainIncrementalView(db, 'order_totals')));

// Any write, by anyone: the view changes in the same transaction.
await db.exec(`INSERT INTO orders VALUES (3, 'ann', 5), (4, 'cid', 7)`);
await db.exec('DELETE FROM orders WHERE id = 2');

console.log('\nthe view');
console.table((await db.query('SELECT * FROM order_totals ORDER BY customer')).rows);
console.log('what changed, step by step');
for (const { epoch, weight, row } of await readChanges(db, 'order_totals'))
  console.log(epoch, weight > 0 ? '+' : '-', JSON.stringify(row));

await dropIncrementalView(db, 'order_totals');
await db.close();
