import { resolve } from 'node:path';
import { segError } from '../diagnostics/seg-error.ts';
import { allNodes } from '../project/manifest.ts';
import type { GraphNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';
import { parseDefinitions, type NamedSelector } from '../selectors/definitions.ts';
import { evaluate, unknownSelector, type EvaluateOptions } from '../selectors/evaluate.ts';
import { parseSelection } from '../selectors/parse.ts';
import { readArtifact, readPreviousState, readResults } from '../selectors/previous-state.ts';
import { isRecord } from '../selectors/selectable.ts';
import type { IndirectSelection, SelectionTree } from '../selectors/tree.ts';
import type { CommandContext } from './context.ts';
import { warningPolicy } from './warnings.ts';

/** A node, or one of the kinds that only selectors and `ls` know (exposures). */
export type Listed = GraphNode | Readonly<Record<string, unknown>>;

/**
 * The nodes the flags of a command select, restricted to `types` (the command's own, narrowed by `--resource-type`).
 * `indirectSelection` overrides the flag, for commands that show nodes and do not want their tests.
 * Parts that match nothing are warned of, as dbt does.
 */
export function selectNodes(
  context: CommandContext,
  project: Project,
  types: readonly string[],
  options: { readonly indirectSelection?: IndirectSelection } = {},
): Map<string, Listed> {
  const { flags } = context;
  const select = flags.has('models')
    ? [...flags.list('select'), ...flags.list('models')]
    : flags.list('select');
  const tree = selectionTree(context, project, select);
  const { ids, unmatched } = evaluate(tree, project.manifest, {
    ...evaluateOptions(context, project),
    ...options,
  });
  for (const { raw, near } of unmatched) warnUnmatched(context, raw, near);
  const wanted = resourceTypes(context, types);
  const selected = new Map<string, Listed>();
  for (const [id, node] of listed(project)) {
    if (ids.has(id) && wanted.has(String(node['resource_type']))) selected.set(id, node);
  }
  return selected;
}

/** The same for commands that work on nodes of the graph; says so when there is nothing to do. */
export function selectGraphNodes(
  context: CommandContext,
  project: Project,
  types: readonly string[],
  options: { readonly indirectSelection?: IndirectSelection } = {},
): GraphNode[] {
  const selected = [...selectNodes(context, project, types, options).values()] as GraphNode[];
  if (selected.length === 0) {
    context.log.warn('Nothing to do. Try checking your model configs and model specification args', {
      name: 'NothingToDo',
      code: 'Q035',
    });
  }
  return selected;
}

function selectionTree(context: CommandContext, project: Project, select: readonly string[]): SelectionTree {
  const { flags, log } = context;
  const selectors = namedSelectors(project);
  const name = flags.string('selector');
  if (name !== undefined) {
    const selector = selectors.get(name);
    if (selector === undefined) throw unknownSelector(name, selectors.keys());
    return selector.tree;
  }
  const fallback = [...selectors.values()].find((selector) => selector.default);
  if (fallback !== undefined && select.length === 0 && flags.list('exclude').length === 0) {
    log.info(`Using default selector ${fallback.name}`);
    return fallback.tree;
  }
  return parseSelection(select, flags.list('exclude'));
}

function evaluateOptions(context: CommandContext, project: Project): EvaluateOptions {
  const { flags, cwd } = context;
  const state = flags.string('state');
  return {
    indirectSelection: flags.string('indirect-selection') as IndirectSelection,
    selectors: new Map([...namedSelectors(project)].map(([name, { tree }]) => [name, tree])),
    previous: state === undefined ? null : readPreviousState(resolve(cwd, state)),
    currentFreshness:
      state === undefined
        ? null
        : readResults(readArtifact(project.targetPath, 'sources.json'), 'max_loaded_at'),
  };
}

function namedSelectors(project: Project): Map<string, NamedSelector> {
  return parseDefinitions(project.manifest.selectors);
}

function warnUnmatched(context: CommandContext, raw: string, near: readonly string[]): void {
  const message = `The selection criterion '${raw}' does not match any enabled nodes`;
  const hint = near.length > 0 ? `Did you mean "${near[0]}"?` : undefined;
  const dbtName = 'NoNodesForSelectionCriteria';
  const treatment = warningPolicy(context.flags)('SEG358', dbtName);
  if (treatment === 'silence') return;
  if (treatment === 'error') throw segError('SEG358', message, hint === undefined ? {} : { hint });
  context.log.warn(hint === undefined ? message : `${message}. ${hint}`, { name: dbtName, code: 'M030' });
}

function resourceTypes({ flags }: CommandContext, types: readonly string[]): Set<string> {
  if (!flags.has('resource-type')) return new Set(types);
  const expand = (names: string[]) =>
    names.flatMap((name) => (name === 'all' || name === 'default' ? types : [name]));
  const only = expand(flags.list('resource-type'));
  const not = expand(flags.list('exclude-resource-type'));
  return new Set(
    (only.length > 0 ? types.filter((type) => only.includes(type)) : types).filter((t) => !not.includes(t)),
  );
}

/** Every node, then exposures, in the order of the manifest. */
function listed(project: Project): Map<string, Listed & Readonly<Record<string, unknown>>> {
  const all = new Map<string, Readonly<Record<string, unknown>>>();
  for (const [id, node] of allNodes(project.manifest))
    all.set(id, node as unknown as Readonly<Record<string, unknown>>);
  for (const [id, node] of Object.entries(project.manifest.exposures)) if (isRecord(node)) all.set(id, node);
  return all;
}
