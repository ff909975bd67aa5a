import { allNodes, type Manifest } from '../project/manifest.ts';
import type { GraphNode } from '../project/nodes.ts';

/**
 * What selectors see of a node. A manifest written by dbt itself satisfies it too, so the fields seg does not write
 * (version, access, group) are optional, and kinds seg does not have (exposures) are nodes like any other.
 */
export interface Selectable {
  readonly unique_id: string;
  readonly resource_type:
    GraphNode['resource_type'] | 'exposure' | 'metric' | 'semantic_model' | 'saved_query';
  readonly name: string;
  readonly package_name: string;
  readonly original_file_path: string;
  readonly fqn: readonly string[];
  readonly tags: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly unrendered_config: Readonly<Record<string, unknown>>;
  readonly patch_path: string | null;
  readonly parents: readonly string[];
  readonly version: string | number | null;
  readonly latest_version: string | number | null;
  readonly access: string | null;
  readonly group: string | null;
  /** The whole node, where a method needs more. */
  readonly node: Readonly<Record<string, unknown>>;
}

/** Everything selectable of a manifest by unique_id: the graph's nodes and, if there are any, exposures and metrics. */
export function selectables(manifest: Manifest): Map<string, Selectable> {
  const found = new Map<string, Selectable>();
  const add = (record: unknown) => {
    const selectable = toSelectable(record);
    if (selectable !== undefined) found.set(selectable.unique_id, selectable);
  };
  for (const node of allNodes(manifest).values()) add(node);
  for (const kind of ['exposures', 'metrics', 'semantic_models', 'saved_queries'] as const) {
    Object.values(manifest[kind] ?? {}).forEach(add);
  }
  return found;
}

function toSelectable(record: unknown): Selectable | undefined {
  if (!isRecord(record) || typeof record['unique_id'] !== 'string') return undefined;
  const dependsOn = isRecord(record['depends_on']) ? record['depends_on']['nodes'] : [];
  const config = isRecord(record['config']) ? record['config'] : {};
  return {
    unique_id: record['unique_id'],
    resource_type: record['resource_type'] as Selectable['resource_type'],
    name: text(record['name']) ?? '',
    package_name: text(record['package_name']) ?? '',
    original_file_path: (text(record['original_file_path']) ?? '').replaceAll('\\', '/'),
    fqn: strings(record['fqn']),
    tags: strings(record['tags']),
    config,
    unrendered_config: isRecord(record['unrendered_config']) ? record['unrendered_config'] : {},
    patch_path: text(record['patch_path']),
    parents: strings(dependsOn),
    version: scalar(record['version']),
    latest_version: scalar(record['latest_version']),
    access: text(record['access']) ?? text(config['access']),
    group: text(record['group']) ?? text(config['group']),
    node: record,
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function scalar(value: unknown): string | number | null {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
