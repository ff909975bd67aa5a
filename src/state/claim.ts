import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/**
 * A state schema describes the deployment of one target. A second target on the same database would take over the
 * first one's relations, so it needs a state schema of its own.
 * @throws SegError SEG808 when the state schema belongs to a deployment into another schema, SEG809 when it holds incremental
 *   views that were made with the library
 */
export async function claimState(
  tx: Connection,
  stateSchema: string,
  target: { readonly name: string; readonly schema: string },
): Promise<void> {
  const seg = quoteIdentifier(stateSchema);
  const { rows } = await tx.query<{ schema_name: string; empty: boolean }>(
    `SELECT schema_name, NOT EXISTS (SELECT FROM ${seg}.node) AS empty FROM ${seg}.target`,
  );
  const claimed = rows[0];
  if (claimed?.schema_name === target.schema) return;
  if (claimed !== undefined && !claimed.empty) {
    throw segError(
      'SEG808',
      `the state schema "${stateSchema}" belongs to a deployment into schema "${claimed.schema_name}", and target "${target.name}" has schema "${target.schema}"`,
      {
        hint: `Give the target a "state_schema" of its own in profiles.yml (or another "path"), or its former schema "${claimed.schema_name}".`,
      },
    );
  }
  if (claimed === undefined && (await holdsPlans(tx, stateSchema))) {
    throw segError(
      'SEG809',
      `the state schema "${stateSchema}" holds incremental views that no project made`,
      {
        hint: 'Give the target a "state_schema" of its own in profiles.yml.',
      },
    );
  }
  await tx.query(
    `INSERT INTO ${seg}.target (schema_name) VALUES ($1) ON CONFLICT (one) DO UPDATE SET schema_name = excluded.schema_name`,
    [target.schema],
  );
}

/** Whether a state schema belongs to a project; views made with the library need another one then. */
export async function isClaimed(tx: Connection, stateSchema: string): Promise<boolean> {
  const { rows } = await tx.query<{ claimed: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteIdentifier(stateSchema)}.target) AS claimed`,
  );
  return rows[0]!.claimed;
}

async function holdsPlans(tx: Connection, stateSchema: string): Promise<boolean> {
  const { rows } = await tx.query<{ held: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteIdentifier(stateSchema)}.plan) AS held`,
  );
  return rows[0]!.held;
}
