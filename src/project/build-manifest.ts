import type { JsonValue } from '../changelog/change.ts';
import { SegError } from '../diagnostics/seg-error.ts';
import type { Dag } from '../graph/dag.ts';
import { hostFunction } from '../jinja/values.ts';
import { artifactMetadata } from './artifact.ts';
import { describe } from './build/descriptions.ts';
import {
  commonConfig,
  objectOrEmpty,
  projectLayers,
  propertyLayers,
  textList,
  textOrNull,
} from './build/layers.ts';
import { folders } from './build/model.ts';
import { readRef, readSource } from './build/sql-draft.ts';
import { asList, mergeConfig } from './config.ts';
import { everyNode } from './link.ts';
import type { Manifest } from './manifest.ts';
import type { GraphNode } from './nodes.ts';
import type { ProjectNodes } from './nodes-of-project.ts';
import type { JsonObject } from './project-file.ts';
import type { Property } from './properties.ts';
import type { Lookup } from './resolve.ts';
import type { Workspace } from './workspace.ts';

/** Puts everything that was found into dbt's shape (manifest v12). */
export function buildManifest(
  workspace: Workspace,
  nodes: ProjectNodes,
  dag: Dag,
  lookup: Lookup,
  selectors: Record<string, JsonValue>,
): Manifest {
  const enabled = new Map([...everyNode(nodes)].filter(([, node]) => node.config.enabled));
  const disabled: Record<string, GraphNode[]> = {};
  for (const [id, node] of everyNode(nodes)) if (!node.config.enabled) (disabled[id] ??= []).push(node);
  const pick = <N extends GraphNode>(from: Iterable<N>): Record<string, N> =>
    Object.fromEntries(
      [...from].filter((node) => enabled.has(node.unique_id)).map((node) => [node.unique_id, node]),
    );
  const exposures = Object.fromEntries(
    nodes.exposures
      .map((property) => buildExposure(workspace, property, lookup))
      .map((each) => [each.unique_id, each]),
  );
  const parents: Record<string, string[]> = {};
  const children: Record<string, string[]> = {};
  for (const id of dag.ids) {
    parents[id] = [...dag.parents(id)];
    children[id] = [...dag.children(id)];
  }
  for (const [id, exposure] of Object.entries(exposures)) {
    const depends = objectOrEmpty(exposure.depends_on).nodes as string[];
    parents[id] = depends;
    children[id] = [];
    for (const parent of depends) children[parent]?.push(id);
  }
  const groups = Object.fromEntries(
    nodes.groups.map((property) => {
      const { owner, name, values } = property;
      const unique_id = `group.${owner.name}.${name}`;
      return [
        unique_id,
        {
          name,
          resource_type: 'group',
          package_name: owner.name,
          path: property.path,
          original_file_path: property.originalFile,
          unique_id,
          owner: objectOrEmpty(values.owner),
          description: textOrNull(values.description),
        },
      ];
    }),
  );
  return {
    metadata: artifactMetadata(workspace.invocation, 'manifest/v12', {
      project_name: workspace.rootPackage.name,
      project_id: null,
      user_id: null,
      adapter_type: workspace.target.type,
    }),
    nodes: pick([...[...nodes.drafts.values()].map(({ node }) => node), ...nodes.seeds.values()]),
    sources: pick(nodes.sources.values()),
    unit_tests: pick(nodes.unitTests.values()),
    scenarios: pick(nodes.scenarios.values()),
    sinks: pick(nodes.sinks.values()),
    macros: Object.fromEntries(workspace.macros),
    selectors,
    disabled,
    parent_map: parents,
    child_map: children,
    docs: Object.fromEntries(
      [...workspace.docs].flatMap(([name, block]) =>
        name.includes('.')
          ? [
              [
                `doc.${name}`,
                {
                  name: name.slice(name.indexOf('.') + 1),
                  resource_type: 'doc',
                  package_name: block.packageName,
                  path: block.file,
                  original_file_path: block.file,
                  unique_id: `doc.${name}`,
                  block_contents: block.text,
                },
              ],
            ]
          : [],
      ),
    ),
    exposures,
    metrics: {},
    groups,
    group_map: groupMap(enabled.values()),
    saved_queries: {},
    semantic_models: {},
    functions: {},
  };
}

function groupMap(nodes: Iterable<GraphNode>): Record<string, string[]> {
  const map: Record<string, string[]> = {};
  for (const { config, unique_id } of nodes) {
    if (typeof config.group === 'string') (map[config.group] ??= []).push(unique_id);
  }
  return map;
}

function buildExposure(
  workspace: Workspace,
  property: Property,
  lookup: Lookup,
): JsonObject & { unique_id: string } {
  const { owner, name, values } = property;
  const fqn = [owner.name, ...folders(property.path), name];
  const merged = mergeConfig([
    ...projectLayers(workspace, owner, 'exposure', fqn),
    ...propertyLayers(workspace, property, 'exposure', ['tags', 'meta', 'enabled']),
  ]);
  const config = commonConfig(merged.values);
  const depends = new Set<string>();
  const user = `exposure "${name}"`;
  for (const [index, written] of asList(values.depends_on).entries()) {
    const at = property.at(['depends_on', index]);
    const globals = {
      ref: hostFunction((call) => {
        const wanted = { ...readRef(call), at };
        const found = lookup.ref(wanted, owner.name);
        if (found === undefined || !('node' in found))
          throw new SegError(lookup.refMistake(wanted, owner.name, user));
        depends.add(found.node.unique_id);
        return '';
      }, 'ref'),
      source: hostFunction((call) => {
        const wanted = { ...readSource(call), at };
        const found = lookup.source(wanted, owner.name);
        if (found === undefined || !('node' in found)) {
          throw new SegError(lookup.sourceMistake(wanted, owner.name, user));
        }
        depends.add(found.node.unique_id);
        return '';
      }, 'source'),
    };
    workspace.collector.attempt(() =>
      workspace.jinja.renderNative(property.file, `{{ ${textOrNull(written) ?? ''} }}`, globals, at),
    );
  }
  return {
    name,
    resource_type: 'exposure',
    package_name: owner.name,
    path: property.path,
    original_file_path: property.originalFile,
    unique_id: `exposure.${owner.name}.${name}`,
    fqn,
    type: textOrNull(values.type),
    owner: objectOrEmpty(values.owner),
    description: describe(workspace, property, values.description, ['description']),
    label: textOrNull(values.label),
    maturity: textOrNull(values.maturity),
    url: textOrNull(values.url),
    tags: textList(config.tags),
    meta: config.meta,
    config,
    unrendered_config: merged.unrendered,
    depends_on: { nodes: [...depends], macros: [] },
    refs: [],
    sources: [],
  };
}
