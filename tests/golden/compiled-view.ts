/** What each stage of the compiler makes of one maintained view, as text. */
import type { Connection } from '../../src/engines/connection.ts';
import { introspect } from '../../src/engines/introspect.ts';
import { explanationText } from '../../src/incremental/explanation-text.ts';
import type { ExplainedView } from '../../src/incremental/explain-view.ts';
import { compileContext, inputsOf } from '../../src/incremental/install-programs.ts';
import { makePlan } from '../../src/incremental/make-plan.ts';
import type { StoredPlan } from '../../src/incremental/stored-plan.ts';
import { compileInput } from '../../src/ivm/program/compile-input.ts';
import type { ProgramStep } from '../../src/ivm/program/program-data.ts';
import { relationFromSql } from '../../src/ivm/relation/from-sql.ts';
import { Unsupported } from '../../src/ivm/relation/ir.ts';
import { statementText } from '../../src/ivm/strategies/statement.ts';
import { algebraText } from './algebra-text.ts';

export interface CompiledView {
  /** Canonical SQL, and the tree it was read as. */
  readonly algebra: string;
  /** The explanation, then each stage's tree, key and columns. */
  readonly plan: string;
  /** For each table it depends on, the statements of its own steps. */
  readonly program: string;
}

const stateSchema = '_seg';

/** @param plans all plans of the database, a view after those it reads */
export async function compiledView(
  db: Connection,
  plan: StoredPlan,
  plans: readonly StoredPlan[],
  explained: ExplainedView,
): Promise<CompiledView> {
  const maintained = new Set(plans.map(({ key }) => key));
  const clock = { schema: stateSchema, name: 'clock' };
  const { canonical } = await introspect(db, plan.definition, maintained);
  const made = await makePlan(db, {
    sql: plan.definition,
    maintenance: 'auto',
    maintained,
    keysOf: (view) => plans.find(({ key }) => key === view)?.stages.at(-1)?.stage.keys ?? [],
    clock,
  });
  return {
    algebra: `${canonical}\n\n${algebraOf(canonical, made)}\n`,
    plan: `${explanationText(explained)}\n\n${plan.stages.map(stageText).join('\n\n')}\n`,
    program: `${programText(plan, plans)}\n`,
  };
}

function algebraOf(canonical: string, { catalog }: Awaited<ReturnType<typeof makePlan>>): string {
  try {
    return algebraText(relationFromSql(canonical, catalog).root);
  } catch (error) {
    if (error instanceof Unsupported) return `not read: ${error.construct}`;
    throw error;
  }
}

function stageText({ stage }: StoredPlan['stages'][number]): string {
  const title = stage.name === '' ? 'the view' : `intermediate result #${stage.name}`;
  const shown = stage.columns.map(({ id, name, hidden }) => `${name}${hidden ? ' (hidden)' : ''} := ${id}`);
  const tree = stage.root === null ? '  its text as it is' : algebraText(stage.root, '  ');
  return `${title}: ${stage.strategy}\n  key: ${stage.key.join(', ') || 'none'}\n  columns: ${shown.join(', ')}\n${tree}`;
}

function programText(plan: StoredPlan, plans: readonly StoredPlan[]): string {
  const below = new Set([plan.key]);
  for (const each of [...plans].reverse())
    if (below.has(each.key)) for (const key of each.upstream) below.add(key);
  const read = plans.filter(({ key }) => below.has(key));
  const context = compileContext(read, stateSchema);
  const own = new Set(plan.stages.map(({ table }) => table.name));
  const programs = inputsOf(read, stateSchema).map((input) => compileInput(input, read, context));
  return programs
    .map(({ input, steps }) =>
      [
        `== when ${input.label} changes`,
        ...steps.flatMap((step, i) => (own.has(step.stored.table.name) ? [stepText(step, i)] : [])),
      ].join('\n\n'),
    )
    .join('\n\n');
}

/** The statement for an UPDATE shows both what goes and what comes; those for INSERT and DELETE lack one of them. */
function stepText(step: ProgramStep, index: number): string {
  const when = step.always ? 'always' : `after a change by step ${step.after.join(' or ')}`;
  const own = step.statements === null ? undefined : statementText(step.statements.update);
  const statement = step.clock?.statement ?? own ?? 'the stage is refreshed as a whole';
  return `-- step ${index}: ${step.stored.label}, ${when}${step.crossing ? ', needs the whole change at once' : ''}\n${statement}`;
}
