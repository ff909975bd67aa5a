/** The columns of every relation of a project, known without a database. */
import { readSeedHeader } from '../connectors/seed-header.ts';
import { allNodes } from '../project/manifest.ts';
import type { Project } from '../project/load.ts';
import type { SourceNode } from '../project/nodes.ts';
import { loadSqlParser } from '../sql/parse.ts';
import { queryColumns } from '../sql/query-columns.ts';
import type { ColumnNames, UnknownName } from '../sql/query-columns.ts';
import { valuesOf } from '../json/member-order.ts';

export interface ProjectColumns {
  /** By unique_id; what is not listed is not known. */
  readonly columns: ReadonlyMap<string, ColumnNames>;
  /** Names that the query of a model or test uses and nothing has, by unique_id. */
  readonly unknown: ReadonlyMap<string, readonly UnknownName[]>;
}

/** Reads the compiled queries in the order of the graph, the sources' declarations and the first lines of seeds. */
export async function projectColumns(project: Project): Promise<ProjectColumns> {
  await loadSqlParser();
  const nodes = allNodes(project.manifest);
  const columns = new Map<string, ColumnNames>();
  const unknown = new Map<string, readonly UnknownName[]>();
  const ids = new Map<string, string>();
  for (const node of nodes.values()) {
    if ('relation_name' in node && node.relation_name !== null && node.resource_type !== 'test')
      ids.set(JSON.stringify([node.schema, node.alias]), node.unique_id);
  }
  const relation = (schema: string | null, name: string): ColumnNames | undefined =>
    columns.get(ids.get(JSON.stringify([schema, name])) ?? '');
  for (const id of project.graph.order()) {
    const node = nodes.get(id);
    if (node === undefined) continue;
    if (node.resource_type === 'source') columns.set(id, declaredColumns(node));
    else if (node.resource_type === 'seed') {
      const names = await readSeedHeader(node, project.root);
      if (names !== undefined) columns.set(id, { names, open: false });
    } else if ('compiled_code' in node && node.compiled_code !== null) {
      const found = queryColumns(node.compiled_code, relation);
      columns.set(id, found.output);
      if (found.unknown.length > 0) unknown.set(id, found.unknown);
    }
  }
  return { columns, unknown };
}

/** A table that somebody else makes, or an engine's connector fills, may have more columns than are declared. */
function declaredColumns(node: SourceNode): ColumnNames {
  const names = valuesOf(node.columns).map(({ name }) => name);
  return { names, open: names.length === 0 || node.config.existing || node.connector !== null };
}
