/** The little of Connection that the integration tests need, on node-postgres. */
import pg from 'pg';
import type { Connection, QueryResult, Row } from '../../src/engines/connection.ts';

export async function connectPostgres(): Promise<Connection & { close(): Promise<void> }> {
  const connectionString = process.env['SEG_TEST_POSTGRES'];
  if (connectionString === undefined) throw new Error('run these tests with "npm run test:integration"');
  const client = new pg.Client({ connectionString });
  await client.connect();
  let depth = 0;
  const connection: Connection & { close(): Promise<void> } = {
    async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
      const result = await client.query({ text: sql, values: [...params] });
      return { rows: result.rows as R[], rowCount: result.rowCount ?? 0, fields: [] };
    },
    async exec(sql) {
      await client.query(sql);
    },
    async transaction(work) {
      const name = `level${depth++}`;
      await client.query(depth === 1 ? 'BEGIN' : `SAVEPOINT ${name}`);
      try {
        const result = await work(connection);
        await client.query(depth === 1 ? 'COMMIT' : `RELEASE SAVEPOINT ${name}`);
        return result;
      } catch (error) {
        await client.query(depth === 1 ? 'ROLLBACK' : `ROLLBACK TO SAVEPOINT ${name}`);
        throw error;
      } finally {
        depth--;
      }
    },
    copyFrom: () => Promise.reject(new Error('not used here')),
    close: () => client.end(),
  };
  return connection;
}
