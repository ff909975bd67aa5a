import { didYouMean } from '../diagnostics/suggest.ts';
import type { Project } from '../project/load.ts';
import type { ModelNode, SeedNode, SinkNode, SourceNode, TestNode } from '../project/nodes.ts';
import type { YamlPath } from './scenario.ts';
import { StepMistake } from './step-outcome.ts';

/** What a step may name. */
export type NamedNode = ModelNode | SeedNode | SourceNode | TestNode;

/** Names a node may be called by, the shortest first. */
function namesOf(node: NamedNode): string[] {
  const own = node.resource_type === 'source' ? [node.name, `${node.source_name}.${node.name}`] : [node.name];
  return [...own, `${node.package_name}.${own.at(-1)!}`];
}

/** Finds a node by its name, of the first of `types` that has one. Throws a StepMistake with the nearest names. */
export function findNode(
  project: Project,
  name: string,
  types: readonly NamedNode['resource_type'][],
): NamedNode {
  const nodes = [...Object.values(project.manifest.nodes), ...Object.values(project.manifest.sources)];
  for (const type of types) {
    const found = nodes.filter((node) => node.resource_type === type && namesOf(node).includes(name));
    if (found.length === 1) return found[0]!;
    if (found.length > 1) {
      const names = found.map((node) => `"${namesOf(node).at(-1)!}"`).join(' or ');
      throw new StepMistake(`"${name}" could be more than one ${type}`, { hint: `Write ${names}.` });
    }
  }
  const known = nodes
    .filter((node) => types.includes(node.resource_type))
    .flatMap((node) => namesOf(node).slice(0, -1));
  const kind = types.length === 1 ? types[0]! : 'model, seed or source';
  throw new StepMistake(`unknown ${kind} "${name}"`, {
    hint: didYouMean(name, known) ?? `"seg ls" shows the names.`,
  });
}

/** A sink by its name. Throws a StepMistake at `path`, with the nearest name. */
export function findSink({ manifest }: Project, name: string, path: YamlPath): SinkNode {
  const sinks = Object.values(manifest.sinks);
  const found = sinks.find((sink) => sink.name === name);
  if (found !== undefined) return found;
  const names = sinks.map((sink) => sink.name);
  throw new StepMistake(`unknown sink "${name}"`, {
    path,
    hint: didYouMean(name, names) ?? `The sinks are ${names.join(', ') || 'none'}.`,
  });
}
