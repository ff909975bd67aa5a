import type { CommandHandler } from '../command-definition.ts';
import { keyOf } from '../../deploy/plans.ts';
import { programSearchPath, stateSchemaOf, storesFailures } from '../../deploy/spec.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { SegError } from '../../diagnostics/seg-error.ts';
import type { Connection } from '../../engines/connection.ts';
import { explainInput, type ExplainedInput } from '../../incremental/explain-input.ts';
import { analyzeViews, explainViews, type ExplainedView } from '../../incremental/explain-view.ts';
import { explanationText } from '../../incremental/explanation-text.ts';
import { readPlans } from '../../incremental/stored-plan.ts';
import type { Project } from '../../project/load.ts';
import type { GraphNode } from '../../project/nodes.ts';
import { readDeployed, type DeployedNode } from '../../state/nodes.ts';
import { openProject } from '../open-project.ts';
import { requirePostgresFamily } from '../postgres-family.ts';
import { otherExplanation } from '../report/other-explanation.ts';
import { selectGraphNodes } from '../selection.ts';
import { withDatabase } from '../with-database.ts';

/** `seg explain`: how the selected models (all maintained ones, when none is named) are kept up to date. */
export const explain: CommandHandler = async (context) => {
  const { flags, log } = context;
  const project = await openProject(context, { writeManifest: false });
  const asked = flags.list('select').length > 0 || flags.given('selector');
  const selected = selectGraphNodes(context, project, ['model', 'test', 'seed', 'source'], {
    indirectSelection: 'empty',
  });
  // The name of a model is often that of its folder too, which selects the tests in it.
  const models = selected.filter((node) => node.resource_type !== 'test' || isMaintained(node));
  const named = models.length > 0 ? models : selected;
  const nodes = asked ? named : selected.filter(isMaintained);
  if (nodes.length === 0) {
    if (selected.length > 0) log.info('No model is materialized as "materialized_view": nothing to explain');
    return 0;
  }
  requirePostgresFamily(project, 'seg explain', 'plans its views itself: ask it, with EXPLAIN');
  const { explained, others, problems } = await withDatabase(context, project, (db) =>
    explanations(db, project, nodes, flags.boolean('analyze')),
  );
  for (const { node, plan, old } of explained) {
    if (old)
      log.warn(`${labelOf(node)} has changed since it was deployed; this is the plan of what is deployed`);
    await context.writeOut(
      flags.string('output') === 'json'
        ? `${JSON.stringify({ node: node.name, unique_id: node.unique_id, current: !old, ...plan })}\n`
        : `${explanationText(plan)}\n\n`,
    );
  }
  for (const { node, input } of others) {
    await context.writeOut(
      flags.string('output') === 'json'
        ? `${JSON.stringify({ node: node.name, unique_id: node.unique_id, view: null, ...input })}\n`
        : `${otherExplanation(node, input)}\n\n`,
    );
  }
  if (problems.length > 0) throw new SegError(problems, { exitCode: 1 });
  return 0;
};

interface Explanation {
  readonly node: GraphNode;
  readonly plan: ExplainedView;
  /** The project's model is not the deployed one any more. */
  readonly old: boolean;
}

/** A node that is not maintained, with what hangs on it; null when it is not deployed. */
interface Other {
  readonly node: GraphNode;
  readonly input: ExplainedInput | null;
}

async function explanations(
  db: Connection,
  project: Project,
  nodes: readonly GraphNode[],
  analyze: boolean,
): Promise<{ explained: Explanation[]; others: Other[]; problems: Diagnostic[] }> {
  const stateSchema = stateSchemaOf(project);
  const deployed = await readDeployed(db, stateSchema);
  const plans = deployed.size === 0 ? new Map<string, ExplainedView>() : await explainViews(db, stateSchema);
  const explained: Explanation[] = [];
  const others: Other[] = [];
  const problems: Diagnostic[] = [];
  const stored = deployed.size === 0 ? [] : await readPlans(db, stateSchema);
  for (const node of nodes) {
    const there = deployed.get(node.unique_id);
    const plan = there?.kind === 'materialized_view' ? plans.get(keyOf(there)) : undefined;
    if (plan !== undefined) explained.push({ node, plan, old: hasChanged(node, there!) });
    else if (isMaintained(node)) problems.push(notDeployed(node));
    else if (there === undefined || there.kind === 'view') others.push({ node, input: null });
    else {
      const relation = { schema: there.schema, name: there.relation, key: keyOf(there) };
      others.push({ node, input: await explainInput(db, stored, relation, stateSchema) });
    }
  }
  if (!analyze || explained.length === 0) return { explained, others, problems };
  const analyses = await analyzeViews(
    db,
    explained.map(({ plan }) => plan.view),
    { stateSchema, searchPath: programSearchPath(project) },
  );
  return {
    explained: explained.map(({ plan, ...rest }) => ({
      ...rest,
      plan: { ...plan, analysis: analyses.get(plan.view)! },
    })),
    others,
    problems,
  };
}

function hasChanged(node: GraphNode, there: DeployedNode): boolean {
  return !('compiled_code' in node) || node.compiled_code !== there.definition || !isMaintained(node);
}

function isMaintained(node: GraphNode): boolean {
  if (node.resource_type === 'model') return node.config.materialized === 'materialized_view';
  return node.resource_type === 'test' && storesFailures(node);
}

function labelOf(node: GraphNode): string {
  return `${node.resource_type} "${node.name}"`;
}

function notDeployed(node: GraphNode): Diagnostic {
  return {
    code: 'SEG920',
    severity: 'error',
    message: `${labelOf(node)} is not deployed as a maintained view, so it has no plan`,
    at: node.at,
    hint:
      node.resource_type === 'test'
        ? `Run "seg build --select ${node.name}" first.`
        : `Run "seg run --select ${node.name}" first.`,
  };
}
