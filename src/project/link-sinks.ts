import type { Location } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { hostFunction } from '../jinja/values.ts';
import { readRef, readSource } from './build/sql-draft.ts';
import type { GraphNode, SinkNode } from './nodes.ts';
import type { ProjectNodes } from './nodes-of-project.ts';
import type { Lookup } from './resolve.ts';
import type { Workspace } from './workspace.ts';
import { valuesOf } from '../json/member-order.ts';

/**
 * Finds what each sink reads: `ref('model')`, `source('a', 'table')`, or a name alone: of a model, a test that stores its
 * failures, a source's table (`table` or `a.table`). A sink of something disabled is disabled with it.
 */
export function linkSinks(workspace: Workspace, nodes: ProjectNodes, lookup: Lookup): void {
  for (const sink of nodes.sinks.values()) {
    const at = sink.at;
    const written = sink.from.replace(/^\s*\{\{|\}\}\s*$/g, '').trim();
    const found = /[('"]/.test(written)
      ? evaluate(workspace, lookup, sink, written, at)
      : byName(workspace, nodes, lookup, sink, written, at);
    if (found === undefined) continue;
    if (!found.config.enabled) sink.config.enabled = false;
    sink.from = found.unique_id;
    sink.depends_on.nodes = [found.unique_id];
    if (sink.config.enabled) checkSubject(workspace, sink, found, at);
  }
}

function evaluate(
  workspace: Workspace,
  lookup: Lookup,
  sink: SinkNode,
  written: string,
  at: Location,
): GraphNode | undefined {
  const user = `sink "${sink.name}"`;
  let found: GraphNode | undefined;
  const globals = {
    ref: hostFunction((call) => {
      const wanted = { ...readRef(call), at };
      const node = lookup.ref(wanted, sink.package_name);
      if (node === undefined) workspace.collector.add([lookup.refMistake(wanted, sink.package_name, user)]);
      else found = 'node' in node ? node.node : node.disabled;
      return 'known';
    }, 'ref'),
    source: hostFunction((call) => {
      const wanted = { ...readSource(call), at };
      const node = lookup.source(wanted, sink.package_name);
      if (node === undefined)
        workspace.collector.add([lookup.sourceMistake(wanted, sink.package_name, user)]);
      else found = 'node' in node ? node.node : node.disabled;
      return 'known';
    }, 'source'),
  };
  const seen = workspace.collector.attempt(() =>
    workspace.jinja.renderNative(at.file, `{{ ${written} }}`, globals, at),
  );
  if (seen !== undefined && seen !== 'known') {
    workspace.collector.error('SEG312', `"from: ${written}" of ${user} is no reference`, {
      at,
      hint: "Write ref('model'), source('source', 'table'), or the name of a model or of a test that stores its failures.",
    });
  }
  return found;
}

function byName(
  workspace: Workspace,
  nodes: ProjectNodes,
  lookup: Lookup,
  sink: SinkNode,
  name: string,
  at: Location,
): GraphNode | undefined {
  const model = lookup.ref({ name, package: null }, sink.package_name);
  if (model !== undefined) return 'node' in model ? model.node : model.disabled;
  const drafts = [...nodes.drafts.values()].map(({ node }) => node);
  const test = drafts.find((node) => node.resource_type === 'test' && node.name === name);
  if (test !== undefined) return test;
  const sources = [...nodes.sources.values()].filter(
    (node) => node.name === name || `${node.source_name}.${node.name}` === name,
  );
  if (sources.length === 1) return sources[0];
  const names = [
    ...drafts.map((node) => node.name),
    ...[...nodes.sources.values()].map((node) => `${node.source_name}.${node.name}`),
  ];
  workspace.collector.error(
    'SEG313',
    `sink "${sink.name}" reads "${name}", which is no model, test or source`,
    {
      at,
      hint: didYouMean(name, names) ?? '`seg ls` lists what there is.',
    },
  );
  return undefined;
}

/** Only what has changes of its own can be followed. */
function checkSubject(workspace: Workspace, sink: SinkNode, found: GraphNode, at: Location): void {
  const mistake = (message: string, hint: string): void =>
    workspace.collector.error('SEG133', `${message} (sink "${sink.name}")`, { at, hint });
  switch (found.resource_type) {
    case 'model':
      if (found.config.materialized !== 'materialized_view') {
        mistake(
          `model "${found.name}" is a ${found.config.materialized}, which has no changes to send`,
          'Materialize it as "materialized_view".',
        );
      }
      break;
    case 'test':
      if (found.config.store_failures !== true || found.config.store_failures_as === 'ephemeral') {
        mistake(`test "${found.name}" does not store its failures`, 'Set "store_failures: true" on it.');
      }
      break;
    case 'source':
      if (!valuesOf(found.columns).some(({ generated }) => generated === 'position')) {
        mistake(
          `source "${found.source_name}.${found.name}" has no column "generated: position"`,
          'Declare one: a sink reads a source in the order of arrival.',
        );
      }
      if (found.config.on_conflict === 'upsert') {
        mistake(
          `source "${found.source_name}.${found.name}" is updated in place (on_conflict: upsert)`,
          'A sink reads only what is appended to a source: read a model of it instead.',
        );
      }
      break;
    default:
      mistake(`${found.resource_type} "${found.name}" cannot be sent`, 'Name a model, a source, or a test.');
  }
}
