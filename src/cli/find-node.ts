import { didYouMean } from '../diagnostics/suggest.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { Project } from '../project/load.ts';
import type { ModelNode, SourceNode, TestNode } from '../project/nodes.ts';

/**
 * A source by `source.table`, or by the table's name where only one has it. Throws SEG360 for an unknown one, SEG361
 * for one that is not unique.
 */
export function findSource(project: Project, name: string): SourceNode {
  const sources = Object.values(project.manifest.sources);
  const full = (source: SourceNode) => `${source.source_name}.${source.name}`;
  const exact = sources.filter((source) => full(source) === name || source.unique_id === name);
  const found = exact.length > 0 ? exact : sources.filter((source) => source.name === name);
  if (found.length > 1) {
    throw segError('SEG361', `source "${name}" is ambiguous`, {
      hint: `Write ${found.map(full).join(' or ')}.`,
    });
  }
  if (found.length === 1) return found[0]!;
  const names = sources.flatMap((source) => [source.name, full(source)]);
  throw segError('SEG360', `unknown source "${name}"`, {
    hint: didYouMean(name, names) ?? `The sources are ${sources.map(full).join(', ') || 'none'}.`,
  });
}

/** A model, or a test that stores its failures, by name. Throws SEG362. */
export function findFollowable(project: Project, name: string): ModelNode | TestNode {
  const nodes = Object.values(project.manifest.nodes).filter(
    (node): node is ModelNode | TestNode => node.resource_type === 'model' || node.resource_type === 'test',
  );
  const found = nodes.find((node) => node.name === name || node.unique_id === name);
  if (found !== undefined) return found;
  const models = nodes.filter((node) => node.resource_type === 'model').map((node) => node.name);
  throw segError('SEG362', `unknown model "${name}"`, {
    hint: didYouMean(name, models) ?? '`seg ls --resource-type model` lists the models.',
  });
}
