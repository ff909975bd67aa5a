/** The little of Connection that the integration tests need, on node-postgres. */
import pg from 'pg';
import { DatabaseError } from '../../src/engines/connection.ts';
import type { Connection, QueryResult, Row } from '../../src/engines/connection.ts';

export type Session = Connection & { close(): Promise<void> };

/** A session of its own on the server that scripts/test-integration.mjs has started. */
export async function connectPostgres(): Promise<Session> {
  const connectionString = process.env['SEG_TEST_POSTGRES'];
  if (connectionString === undefined) throw new Error('run these tests with "npm run test:integration"');
  const client = new pg.Client({ connectionString });
  await client.connect();
  const send = async (text: string, values?: unknown[]): Promise<pg.QueryResult> => {
    try {
      return await client.query({ text, values });
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const { message, code = 'XX000', detail, hint, where } = error;
      throw new DatabaseError(message, { sqlstate: code, detail, hint, context: where, cause: error });
    }
  };
  let depth = 0;
  const connection: Session = {
    async query<R = Row>(sql: string, params: readonly unknown[] = []): Promise<QueryResult<R>> {
      const result = await send(sql, [...params]);
      return { rows: result.rows as R[], rowCount: result.rowCount ?? 0, fields: [] };
    },
    async exec(sql) {
      await send(sql);
    },
    async transaction(work) {
      const name = `level${depth++}`;
      const outermost = depth === 1;
      await send(outermost ? 'BEGIN' : `SAVEPOINT ${name}`);
      try {
        const result = await work(connection);
        await send(outermost ? 'COMMIT' : `RELEASE SAVEPOINT ${name}`);
        return result;
      } catch (error) {
        await send(outermost ? 'ROLLBACK' : `ROLLBACK TO SAVEPOINT ${name}`);
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
