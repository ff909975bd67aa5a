import type { CommandHandler } from '../command-definition.ts';
import { renderDiagnostics } from '../../diagnostics/render.ts';
import type { NodeOutcome } from '../../deploy/outcome.ts';
import { executeGraph } from '../../run/execute.ts';
import { loadOptions, openProject } from '../open-project.ts';
import { printRelation } from '../print-relation.ts';
import { counted } from '../report/summary.ts';
import { openTarget } from '../run-graph.ts';
import { selectGraphNodes } from '../selection.ts';

const WORDS: Record<NodeOutcome['action'], string> = {
  created: 'create',
  changed: 'change',
  refreshed: 'follow',
  unchanged: 'keep',
  dropped: 'drop',
  released: 'release (gone from the project; its table stays)',
  orphaned: 'keep (gone from the project; --prune drops it)',
};

/**
 * `seg plan`: does what `seg run` would do, in a transaction that is undone, and says what that was. Exit code 1 when a
 * model would fail.
 */
export const plan: CommandHandler = async (context) => {
  const { flags, log, sources } = context;
  const project = await openProject(context, { writeManifest: false });
  const selected = selectGraphNodes(context, project, ['model']);
  if (selected.length === 0) return 0;
  const db = await openTarget(context, project);
  const result = await executeGraph({
    project,
    load: loadOptions(context),
    db,
    mode: 'run',
    selected: new Set(selected.map((node) => node.unique_id)),
    listener: () => undefined,
    dryRun: true,
    fullRefresh: flags.boolean('full-refresh'),
    prune: flags.boolean('prune'),
    signal: context.signal,
  }).finally(() => db.close());
  const changes = result.outcomes.filter((outcome) => outcome.action !== 'unchanged');
  await print(context, changes);
  for (const { label, intake } of changes) for (const change of intake ?? []) log.info(`${label}: ${change}`);
  const failed = result.results.filter(({ status }) => status === 'error');
  for (const { diagnostics } of failed) {
    const options = { sourceOf: (file: string) => sources.of(file), colors: log.colors.isColorSupported };
    log.error(`\n${renderDiagnostics(diagnostics, options)}`);
  }
  const count = (...actions: NodeOutcome['action'][]) =>
    changes.filter(({ action }) => actions.includes(action)).length;
  log.info(
    `Plan: ${count('created')} to create, ${count('changed')} to change, ${count('refreshed')} to follow, ` +
      `${count('dropped')} to drop, ${result.outcomes.length - changes.length} unchanged` +
      (failed.length > 0 ? `, ${counted(failed.length, 'error', 'errors')}` : ''),
  );
  return failed.length > 0 ? 1 : 0;
};

async function print(context: Parameters<CommandHandler>[0], changes: readonly NodeOutcome[]): Promise<void> {
  const form = context.flags.string('output');
  if (form === 'json') {
    for (const change of changes) await context.writeOut(`${JSON.stringify(change)}\n`);
    return;
  }
  if (changes.length === 0 && form !== 'csv') return;
  const relation = {
    columns: ['node', 'action', 'rows', 'inserted', 'deleted', 'columns'],
    rows: changes.map(({ label, action, rows, inserted, deleted, reshaped }) => [
      label,
      WORDS[action],
      rows,
      action === 'created' ? null : inserted,
      action === 'created' ? null : deleted,
      reshaped ? 'changed' : null,
    ]),
  };
  await printRelation(context, relation, form === 'csv' ? 'csv' : 'table');
}
