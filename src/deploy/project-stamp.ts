/**
 * Which version of the project was run last, as a comment on the state schema: `seg serve` reads the project's files again when it
 * changes, also where nothing of it is a relation (a sink, how long changes are kept, how records are read).
 */
import { createHash } from 'node:crypto';
import type { Connection } from '../engines/connection.ts';
import type { Manifest } from '../project/manifest.ts';
import { quoteIdentifier, quoteLiteral } from '../sql/quote.ts';

/** Where things stand, and what this machine or this moment has made of them. */
const VOLATILE = new Set([
  'at',
  'key_at',
  'compiled',
  'compiled_code',
  'relation_name',
  'created_at',
  'root_path',
]);

function stampOf({ sources, nodes, sinks }: Manifest): string {
  const running = Object.entries(nodes).filter(([, node]) => node.resource_type !== 'test');
  const text = JSON.stringify([sources, Object.fromEntries(running), sinks], (name, value: unknown) =>
    VOLATILE.has(name) ? undefined : value,
  );
  return `project ${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** SQL of the stamp; null when there is none. */
export function stampSql(stateSchema: string): string {
  return `obj_description(to_regnamespace(${quoteLiteral(quoteIdentifier(stateSchema))}), 'pg_namespace')`;
}

export async function noteProject(tx: Connection, stateSchema: string, manifest: Manifest): Promise<void> {
  const stamp = stampOf(manifest);
  const { rows } = await tx.query<{ stale: boolean }>(
    // After a restore the schema may be another role's: then what is deployed must do.
    `SELECT ${stampSql(stateSchema)} IS DISTINCT FROM $1::text AND pg_has_role(nspowner, 'USAGE') AS stale
     FROM pg_namespace WHERE nspname = $2`,
    [stamp, stateSchema],
  );
  if (rows[0]?.stale === true)
    await tx.exec(`COMMENT ON SCHEMA ${quoteIdentifier(stateSchema)} IS ${quoteLiteral(stamp)}`);
}
