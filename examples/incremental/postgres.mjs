// The same on a PostgreSQL server. The table and the view are in a schema that is dropped at the end; seg's own schema,
// _seg, stays.
//   DATABASE_URL=postgres://localhost/test node examples/incremental/postgres.mjs
import { performance } from 'node:perf_hooks';
import pg from 'pg';
import { createIncrementalView, dropIncrementalView, readChanges } from 'seg/incremental';

if (process.env.DATABASE_URL === undefined) throw new Error('set DATABASE_URL to a database of yours');
// One session, since maintenance is made in a transaction: a Client, not a Pool.
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const names = { schema: 'seg_example' };
// Fails when there is such a schema already, which is then not ours to drop.
await client.query(`
  CREATE SCHEMA seg_example;
  CREATE TABLE seg_example.orders (id integer PRIMARY KEY, customer text NOT NULL, amount integer NOT NULL);
  INSERT INTO seg_example.orders SELECT i, 'customer ' || i % 1000, i % 100 FROM generate_series(1, 100000) AS i;
`);
try {
  await createIncrementalView(
    client,
    'order_totals',
    'SELECT customer, count(*) AS orders, sum(amount) AS total FROM seg_example.orders GROUP BY customer',
    { ...names, changes: true },
  );

  try {
    const started = performance.now();
    await client.query(`INSERT INTO seg_example.orders VALUES (100001, 'customer 7', 5)`);
    console.log(`one more order took ${(performance.now() - started).toFixed(1)} ms with its view`);
    for (const { weight, row } of await readChanges(client, 'order_totals', names))
      console.log(weight > 0 ? '+' : '-', JSON.stringify(row));
  } finally {
    await dropIncrementalView(client, 'order_totals', names);
  }
} finally {
  await client.query('DROP SCHEMA IF EXISTS seg_example CASCADE');
  await client.end();
}
