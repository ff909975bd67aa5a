import { segError } from '../diagnostics/seg-error.ts';
import type { Connection } from '../engines/connection.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { relationKind } from './catalog.ts';
import type { RelationName } from './catalog.ts';
import type { NodeSpec } from './spec.ts';

export async function ensureSchema(tx: Connection, schema: string): Promise<void> {
  await tx.exec(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
}

/** @throws SegError SEG410 when something that seg did not make stands where the node should */
export async function refuseForeign(tx: Connection, spec: NodeSpec, relation: RelationName): Promise<void> {
  const kind = await relationKind(tx, relation);
  if (kind === undefined) return;
  throw segError(
    'SEG410',
    `${spec.label} cannot be created: there is a ${kind === 'other' ? 'relation' : kind} "${relation.schema}.${relation.name}" that seg did not make`,
    {
      at: spec.at,
      hint: 'Drop or rename it, or give the node another alias or schema.',
      exitCode: 1,
    },
  );
}
