import { asList, mergeConfig } from '../config.ts';
import type { ScenarioNode } from '../nodes.ts';
import { isObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import type { Workspace } from '../workspace.ts';
import { describe } from './descriptions.ts';
import { commonConfig, projectLayers, propertyLayers } from './layers.ts';
import { folders, sha256 } from './model.ts';

/** A scenario test's node. Its steps are kept as written: testing/ reads and validates them. */
export function buildScenario(workspace: Workspace, property: Property): ScenarioNode {
  const { owner, values, name } = property;
  const fqn = [owner.name, ...folders(property.path), name];
  const merged = mergeConfig([
    ...projectLayers(workspace, owner, 'scenario', fqn),
    ...propertyLayers(workspace, property, 'scenario', ['tags', 'meta', 'enabled']),
  ]);
  const config = commonConfig(merged.values);
  return {
    resource_type: 'scenario',
    unique_id: `scenario.${owner.name}.${name}`,
    name,
    package_name: owner.name,
    path: property.path,
    original_file_path: property.originalFile,
    fqn,
    description: describe(workspace, property, values.description, ['description']),
    tags: config.tags,
    meta: config.meta,
    config,
    unrendered_config: merged.unrendered,
    patch_path: null,
    checksum: sha256(JSON.stringify(values)),
    depends_on: { nodes: [], macros: [] },
    at: property.at(['name']),
    scenario: values,
    step_locations: asList(values.steps).map((_, index) => property.at(['steps', index])),
  };
}

/** The names a scenario's steps speak of: models and seeds by name, sources as `source.table` or the table alone. */
export function namesInScenario(node: ScenarioNode): { relations: string[]; sources: string[] } {
  const relations: string[] = [];
  const sources: string[] = [];
  const steps = isObject(node.scenario) ? asList(node.scenario.steps) : [];
  for (const step of steps) {
    if (!isObject(step)) continue;
    for (const key of ['expect', 'changes', 'seed']) {
      const value = step[key];
      if (typeof value === 'string') relations.push(value);
      else if (isObject(value)) relations.push(...Object.keys(value));
    }
    const { ingest } = step;
    if (typeof ingest === 'string') sources.push(ingest);
    else if (isObject(ingest)) sources.push(...Object.keys(ingest));
  }
  return { relations, sources };
}
