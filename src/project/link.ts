import { segError } from '../diagnostics/seg-error.ts';
import type { Note } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { Dag } from '../graph/dag.ts';
import { readRef, readSource } from './build/sql-draft.ts';
import { namesInScenario } from './build/scenario.ts';
import { hostFunction } from '../jinja/values.ts';
import type { GraphNode, RelationNode } from './nodes.ts';
import type { ProjectNodes } from './nodes-of-project.ts';
import { linkSinks } from './link-sinks.ts';
import { Lookup } from './resolve.ts';
import type { Workspace } from './workspace.ts';

/** All nodes by id, disabled ones too. */
export function everyNode(nodes: ProjectNodes): Map<string, GraphNode> {
  const all: GraphNode[] = [
    ...nodes.sources.values(),
    ...nodes.seeds.values(),
    ...[...nodes.drafts.values()].map(({ node }) => node),
    ...nodes.unitTests.values(),
    ...nodes.scenarios.values(),
    ...nodes.sinks.values(),
  ];
  return new Map(all.map((node) => [node.unique_id, node]));
}

/**
 * Turns what the templates asked for into `depends_on`, `refs` and `sources`. A test whose subject is disabled is disabled with
 * it, as in dbt. Unknown names go to the collector (SEG301..SEG306), all of them.
 */
export function linkNodes(workspace: Workspace, nodes: ProjectNodes): Lookup {
  const relations = [...everyNode(nodes).values()].filter(
    (node): node is RelationNode =>
      node.resource_type === 'model' || node.resource_type === 'seed' || node.resource_type === 'source',
  );
  const lookup = new Lookup(workspace.rootPackage.name, relations);
  for (const draft of nodes.drafts.values()) {
    const { node, owner } = draft;
    if (!node.config.enabled) continue;
    const user = `${node.resource_type} "${node.name}"`;
    const depends = new Set<string>();
    const refs = new Map(draft.refs.map((call) => [`${call.package ?? ''}\0${call.name}`, call]));
    for (const call of refs.values()) {
      const found = lookup.ref(call, owner.name);
      if (found !== undefined && 'node' in found) depends.add(found.node.unique_id);
      else if (found !== undefined && node.resource_type === 'test') node.config.enabled = false;
      else workspace.collector.add([lookup.refMistake(call, owner.name, user)]);
    }
    const sourceCalls = new Map(draft.sourceCalls.map((call) => [`${call.source}\0${call.table}`, call]));
    for (const call of sourceCalls.values()) {
      const found = lookup.source(call, owner.name);
      if (found !== undefined && 'node' in found) depends.add(found.node.unique_id);
      else if (found !== undefined && node.resource_type === 'test') node.config.enabled = false;
      else workspace.collector.add([lookup.sourceMistake(call, owner.name, user)]);
    }
    node.refs = [...refs.values()].map((call) => ({ name: call.name, package: call.package, version: null }));
    node.sources = [...sourceCalls.values()].map((call) => [call.source, call.table]);
    node.depends_on.nodes = [...depends];
  }
  linkUnitTests(workspace, nodes, lookup);
  linkScenarios(nodes, lookup);
  linkSinks(workspace, nodes, lookup);
  return lookup;
}

function linkUnitTests(workspace: Workspace, nodes: ProjectNodes, lookup: Lookup): void {
  const models = [...nodes.drafts.values()].flatMap(({ node }) =>
    node.resource_type === 'model' ? [node.name] : [],
  );
  for (const test of nodes.unitTests.values()) {
    const found = lookup.ref({ name: test.model, package: null }, test.package_name);
    if (found === undefined) {
      workspace.collector.error('SEG308', `unknown model "${test.model}" of unit test "${test.name}"`, {
        at: test.at,
        hint: didYouMean(test.model, models) ?? 'A unit test names the model it tests under "model".',
      });
    } else if ('disabled' in found) test.config.enabled = false;
    else test.depends_on.nodes = [found.node.unique_id];
    for (const { input } of test.given) checkInput(workspace, lookup, test, input);
  }
}

/** `input:` is `ref('x')`, `source('a', 'b')` or `this`. */
function checkInput(
  workspace: Workspace,
  lookup: Lookup,
  test: { name: string; at: GraphNode['at']; package_name: string },
  input: string,
): void {
  if (input.trim() === 'this') return;
  const user = `unit test "${test.name}"`;
  const globals = {
    ref: hostFunction((call) => {
      const wanted = { ...readRef(call), at: test.at };
      const found = lookup.ref(wanted, test.package_name);
      if (found === undefined) workspace.collector.add([lookup.refMistake(wanted, test.package_name, user)]);
      return 'known';
    }, 'ref'),
    source: hostFunction((call) => {
      const wanted = { ...readSource(call), at: test.at };
      const found = lookup.source(wanted, test.package_name);
      if (found === undefined)
        workspace.collector.add([lookup.sourceMistake(wanted, test.package_name, user)]);
      return 'known';
    }, 'source'),
  };
  const seen = workspace.collector.attempt(() =>
    workspace.jinja.renderNative(
      test.at.file,
      `{{ ${input.replace(/^\{\{|\}\}$/g, '')} }}`,
      globals,
      test.at,
    ),
  );
  if (seen !== undefined && seen !== 'known') {
    workspace.collector.error('SEG309', `input "${input}" of ${user} is no reference`, {
      at: test.at,
      hint: "Write ref('model'), source('source', 'table') or this.",
    });
  }
}

/** A scenario depends on the relations its steps name; names nobody knows are reported by testing/, step by step. */
function linkScenarios(nodes: ProjectNodes, lookup: Lookup): void {
  for (const scenario of nodes.scenarios.values()) {
    const { relations, sources } = namesInScenario(scenario);
    const depends = new Set<string>();
    for (const name of relations) {
      const found = lookup.ref({ name, package: null }, scenario.package_name);
      if (found !== undefined && 'node' in found) depends.add(found.node.unique_id);
    }
    for (const name of sources) {
      const [source, table] = name.split('.');
      const found = [...nodes.sources.values()].find((node) =>
        table === undefined ? node.name === source : node.source_name === source && node.name === table,
      );
      if (found !== undefined) depends.add(found.unique_id);
    }
    scenario.depends_on.nodes = [...depends];
  }
}

/** The graph of all enabled nodes. Throws SEG310 for a cycle, with its path and each reference in it. */
export function buildGraph(nodes: ProjectNodes): Dag {
  const all = everyNode(nodes);
  const enabled = [...all.values()].filter((node) => node.config.enabled);
  const dag = new Dag(enabled.map((node) => [node.unique_id, node.depends_on.nodes]));
  const cycle = dag.cycle();
  if (cycle === undefined) return dag;
  const nameOf = (id: string): string => all.get(id)!.name;
  const notes = cycle.slice(0, -1).map((id, index): Note => {
    const next = nameOf(cycle[index + 1]!);
    const at = nodes.drafts.get(id)?.refs.find((call) => call.name === next)?.at;
    return { message: `${nameOf(id)} refers to ${next}.`, ...(at === undefined ? {} : { at }) };
  });
  const [first] = notes;
  throw segError('SEG310', `cycle of models: ${cycle.map(nameOf).join(' → ')}`, {
    ...(first?.at === undefined ? {} : { at: first.at }),
    notes,
    hint: 'Remove one of these references, or move what both models need into a third one.',
  });
}

/** SEG311: two nodes that would be one relation in the engine. */
export function checkRelations(workspace: Workspace, nodes: ProjectNodes): void {
  const owners = new Map<string, RelationNode>();
  for (const node of everyNode(nodes).values()) {
    if (node.resource_type !== 'model' && node.resource_type !== 'seed' && node.resource_type !== 'source')
      continue;
    if (!node.config.enabled || node.relation_name === null) continue;
    const key = `${node.database}\0${node.relation_name}`;
    const other = owners.get(key);
    // Two sources may speak of one table.
    if (other !== undefined && !(other.resource_type === 'source' && node.resource_type === 'source')) {
      workspace.collector.error(
        'SEG311',
        `${node.resource_type} "${node.name}" and ${other.resource_type} "${other.name}" are the same relation ${node.relation_name}`,
        {
          at: node.at,
          notes: [{ message: 'The other is defined here.', at: other.at }],
          hint: 'Give one of them another "alias" or "schema".',
        },
      );
    } else owners.set(key, node);
  }
}
