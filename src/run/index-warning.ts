/** Indexes that would serve the models of a run, on tables that somebody else made and where seg may make none. */
import type { Deployer } from '../deploy/deployer.ts';
import type { NodeOutcome } from '../deploy/outcome.ts';
import { keyOf } from '../deploy/plans.ts';
import type { Connection } from '../engines/connection.ts';
import { readPlans } from '../incremental/stored-plan.ts';

/** A warning for the models that this run has made or changed; null when all they need is there. */
export async function indexWarning(
  tx: Connection,
  deployer: Deployer,
  outcomes: readonly NodeOutcome[],
): Promise<string | null> {
  const made = new Set(
    outcomes
      .filter(({ action }) => action === 'created' || action === 'changed')
      .flatMap(({ uniqueId }) => deployer.deployed.get(uniqueId) ?? [])
      .map(keyOf),
  );
  if (made.size === 0) return null;
  const plans = (await readPlans(tx, deployer.stateSchema)).filter(({ key }) => made.has(key));
  const statements = new Set(plans.flatMap(({ offered = [] }) => offered));
  if (statements.size === 0) return null;
  return [
    'each change reads an existing table as a whole, until its owner makes an index (or the source says install: [triggers, indexes]):',
    ...[...statements].map((statement) => `  ${statement}`),
  ].join('\n');
}
