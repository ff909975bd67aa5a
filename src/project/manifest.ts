import type { GraphNode, MacroNode, ScenarioNode, SinkNode, SourceNode, UnitTestNode } from './nodes.ts';
import type { JsonValue } from '../changelog/change.ts';

/** dbt's `metadata` block of an artifact. */
export interface ArtifactMetadata {
  dbt_schema_version: string;
  dbt_version: string;
  generated_at: string;
  invocation_id: string;
  invocation_started_at: string | null;
  env: Record<string, string>;
  project_name?: string;
  project_id?: string | null;
  user_id?: string | null;
  adapter_type?: string;
}

/** Everything known about a project after loading, in the shape of dbt's manifest.json (v12). Frozen. */
export interface Manifest {
  readonly metadata: ArtifactMetadata;
  /** Models, seeds and tests by unique_id (as in dbt, sources and unit tests are beside them). */
  readonly nodes: Record<string, Exclude<GraphNode, SourceNode | UnitTestNode | ScenarioNode | SinkNode>>;
  readonly sources: Record<string, SourceNode>;
  readonly unit_tests: Record<string, UnitTestNode>;
  /** seg: scenario tests. */
  readonly scenarios: Record<string, ScenarioNode>;
  /** seg: where changes go. */
  readonly sinks: Record<string, SinkNode>;
  readonly macros: Record<string, MacroNode>;
  readonly selectors: Record<string, JsonValue>;
  readonly disabled: Record<string, GraphNode[]>;
  readonly parent_map: Record<string, string[]>;
  readonly child_map: Record<string, string[]>;
  readonly docs: Record<string, JsonValue>;
  readonly exposures: Record<string, JsonValue>;
  readonly metrics: Record<string, JsonValue>;
  readonly groups: Record<string, JsonValue>;
  readonly group_map: Record<string, string[]>;
  readonly saved_queries: Record<string, JsonValue>;
  readonly semantic_models: Record<string, JsonValue>;
  readonly functions: Record<string, JsonValue>;
}

/** Every node of the graph, of all kinds, by unique_id. */
export function allNodes(manifest: Manifest): Map<string, GraphNode> {
  return new Map<string, GraphNode>([
    ...Object.entries(manifest.sources),
    ...Object.entries(manifest.nodes),
    ...Object.entries(manifest.unit_tests),
    ...Object.entries(manifest.scenarios),
    ...Object.entries(manifest.sinks ?? {}),
  ]);
}
