import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/** The number of the step that this transaction is, as text; taken once a transaction, and noted with its time. */
export async function takeEpoch(tx: Connection, stateSchema: string): Promise<string> {
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await tx.query<{ epoch: string }>(`SELECT ${seg}.begin_step()::text AS epoch`);
  const { epoch } = rows[0]!;
  await tx.query(
    `INSERT INTO ${seg}.step (epoch, at) VALUES ($1::bigint, clock_timestamp()) ON CONFLICT DO NOTHING`,
    [epoch],
  );
  return epoch;
}
