/** Models whose unique_key does not tell their rows apart. */
import type { Deployer } from '../deploy/deployer.ts';
import type { NodeOutcome } from '../deploy/outcome.ts';
import type { Connection } from '../engines/connection.ts';
import { ambiguousKeys } from '../verify/unique-keys.ts';

/** A warning for all maintained models, and for views and tables that this run has made; null when their keys are unique. */
export async function keyWarning(
  tx: Connection,
  deployer: Deployer,
  outcomes: readonly NodeOutcome[],
): Promise<string | null> {
  const made = new Set(
    outcomes.filter(({ action }) => action !== 'unchanged').map(({ uniqueId }) => uniqueId),
  );
  const found = await ambiguousKeys(tx, deployer.stateSchema, made);
  if (found.length === 0) return null;
  return [
    ...found.map(({ message }) => message),
    '  sinks and feeds by such a key stop: add columns to it, or make the query give one row for each',
  ].join('\n');
}
