/** Which compiler made what is deployed. Of databases that were deployed before this was noted nothing is known. */
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/** A migration (schema.ts). */
export function compilerTable(seg: string): string {
  return `
    CREATE TABLE ${seg}.compiler (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      version text NOT NULL
    );`;
}

export async function deployedCompiler(
  connection: Connection,
  stateSchema: string,
): Promise<string | undefined> {
  const { rows } = await connection.query<{ version: string }>(
    `SELECT version FROM ${quoteIdentifier(stateSchema)}.compiler`,
  );
  return rows[0]?.version;
}

export async function noteCompiler(tx: Connection, stateSchema: string, version: string): Promise<void> {
  await tx.query(
    `INSERT INTO ${quoteIdentifier(stateSchema)}.compiler (version) VALUES ($1)
     ON CONFLICT (one) DO UPDATE SET version = excluded.version`,
    [version],
  );
}
