/** Which models of a run are recomputed as a whole, where the user may not know. */
import type { Deployer } from '../deploy/deployer.ts';
import type { NodeOutcome } from '../deploy/outcome.ts';
import { keyOf } from '../deploy/plans.ts';
import type { Connection } from '../engines/connection.ts';
import { readPlans } from '../incremental/stored-plan.ts';

/**
 * A warning for the models that this run has made or changed, unless `maintenance: recompute` says that it is meant;
 * null when there is none. Parts of a model that are not understood count too; of other intermediate results `seg explain` tells.
 * @param tx where the deployer has written its plans
 */
export async function recomputeWarning(
  tx: Connection,
  deployer: Deployer,
  outcomes: readonly NodeOutcome[],
): Promise<string | null> {
  const made = new Set(
    outcomes
      .filter(({ action }) => action === 'created' || action === 'changed')
      .map(({ uniqueId }) => uniqueId),
  );
  const models = [...deployer.deployed.values()].filter(
    ({ uniqueId, kind, settings }) =>
      made.has(uniqueId) &&
      uniqueId.startsWith('model.') &&
      kind === 'materialized_view' &&
      settings['maintenance'] !== 'recompute',
  );
  if (models.length === 0) return null;
  const plans = new Map((await readPlans(tx, deployer.stateSchema)).map((plan) => [plan.key, plan]));
  const lines = models.flatMap((model) => {
    const stages = plans.get(keyOf(model))?.stages ?? [];
    const found = stages.find(
      ({ stage }) => stage.strategy === 'recompute' && (stage.name === '' || stage.part),
    );
    return found === undefined ? [] : [`  ${model.label}: ${found.stage.reason}`];
  });
  if (lines.length === 0) return null;
  return [
    lines.length === 1
      ? 'a model is computed anew at every change of what it reads:'
      : `${lines.length} models are computed anew at every change of what they read:`,
    ...lines,
    '  `seg explain` shows the plan; `maintenance: recompute` in the config says that it is meant',
  ].join('\n');
}
