/** `seg explain` of what is not maintained: sources, seeds, tables, plain views, ephemeral models, tests. */
import type { ExplainedInput } from '../../incremental/explain-input.ts';
import type { GraphNode } from '../../project/nodes.ts';

/** @param input what hangs on the node's relation; null when it is not deployed, or is none */
export function otherExplanation(node: GraphNode, input: ExplainedInput | null): string {
  const lines = [`${node.resource_type} "${node.name}"`, ...indented(wordsFor(node))];
  if (input === null) return lines.join('\n');
  const { followers, indexes } = input;
  lines.push(
    ...(followers.length === 0
      ? indented(['no maintained model reads it, so a write to it costs nothing more'])
      : [
          ...indented([`each write to it brings up to date, in this order (${followers.length}):`]),
          ...indented(indented(followers)),
        ]),
    ...(indexes.length === 0 ? [] : ['indexes made on it for its readers:', ...indented(indexes)]),
  );
  return lines.join('\n');
}

function wordsFor(node: GraphNode): string[] {
  switch (node.resource_type) {
    case 'source':
      return ['a source: a table that is written to from outside; nothing computes it'];
    case 'seed':
      return ['a seed: a table that "seg seed" brings in line with its file, by the difference'];
    case 'model':
      switch (node.config.materialized) {
        case 'view':
          return [
            'a view: nothing is stored; its query runs when it is read, and is part of the maintained models that read it',
          ];
        case 'ephemeral':
          return ['ephemeral: no relation; its query is part of the models that read it'];
        default:
          return [
            'a table: computed by "seg run", and as it was then until the next one; its readers follow it',
          ];
      }
    default:
      return ['computed when it is run; nothing is stored, so there is nothing to maintain'];
  }
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
