/** How a view is kept, as a tree for people. */
import { analysisText } from './analysis.ts';
import { clockLines } from './explain-clock.ts';
import type { ExplainedOperator } from './explain-operators.ts';
import type { ExplainedStage, ExplainedView } from './explain-view.ts';

interface Branch {
  readonly lines: readonly string[];
  readonly below: readonly Branch[];
}

/** The view at the top, under it what it is made of; each intermediate result where it is first read. */
export function explanationText(explained: ExplainedView): string {
  const stages = new Map(explained.stages.map((stage) => [stage.number, stage]));
  const shown = new Set<string>();

  const relation = (name: string): Branch => {
    const stage = name.startsWith('#') ? stages.get(name.slice(1)) : undefined;
    if (stage === undefined) return { lines: [name], below: [] };
    if (shown.has(name)) return { lines: [`intermediate result ${name}, see above`], below: [] };
    shown.add(name);
    return stageBranch(`intermediate result ${name}`, stage);
  };
  const operator = (node: ExplainedOperator): Branch =>
    node.relation === undefined
      ? { lines: [node.operator], below: node.inputs.map(operator) }
      : relation(node.relation);
  const stageBranch = (title: string, stage: ExplainedStage): Branch => ({
    lines: [title, ...stageLines(stage)],
    below: stage.operators === null ? stage.reads.map(relation) : [operator(stage.operators)],
  });

  const view = stageBranch(`view ${explained.view}`, stages.get(null)!);
  const indexes = explained.indexes.map((text) => `  ${text}`);
  return [
    ...branchLines(view),
    ...(indexes.length === 0 ? ['no index was made for it'] : ['indexes made for it:', ...indexes]),
    ...(explained.unindexed.length === 0
      ? []
      : [
          'read as a whole by some step, since no index can be made on what it asks for (an expression that is not immutable):',
          ...explained.unindexed.map((text) => `  ${text}`),
        ]),
    ...(explained.offered.length === 0
      ? []
      : [
          'read as a whole by some step, until the owner of the table makes an index:',
          ...explained.offered.map((text) => `  ${text}`),
        ]),
    ...(explained.analysis === undefined ? [] : ['', analysisText(explained.analysis)]),
  ].join('\n');
}

function stageLines({ strategy, reason, cost, clock, table }: ExplainedStage): string[] {
  return [
    `${strategy}: ${reason}`,
    `a change costs ${cost}`,
    ...(clock === null ? [] : clockLines(clock)),
    `kept in ${table}`,
  ];
}

/** A branch's first line is its title; its other lines stand under the title. */
function branchLines({ lines: [title = '', ...details], below }: Branch): string[] {
  const rail = below.length > 0 ? '│ ' : '  ';
  return [
    title,
    ...details.map((line) => `${rail}  ${line}`),
    ...below.flatMap((branch, i) => {
      const last = i === below.length - 1;
      return branchLines(branch).map(
        (line, j) => `${j === 0 ? (last ? '└─ ' : '├─ ') : last ? '   ' : '│  '}${line}`,
      );
    }),
  ];
}
