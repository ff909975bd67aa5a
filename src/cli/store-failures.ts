import { quoteRelation } from '../sql/quote.ts';
import type { Project } from '../project/load.ts';
import type { TestNode } from '../project/nodes.ts';

/** dbt's schema for failing rows when a test names none. */
const AUDIT_SCHEMA = 'dbt_test__audit';

/**
 * The project as `--store-failures` sees it: data tests that do not say otherwise themselves store their failing rows.
 * The loaded project stays as it is.
 */
export function withStoredFailures(project: Project): Project {
  const nodes = Object.fromEntries(
    Object.entries(project.manifest.nodes).map(([id, node]) => [
      id,
      node.resource_type === 'test' && node.config.store_failures === null ? storing(project, node) : node,
    ]),
  );
  const manifest = { ...project.manifest, nodes };
  // A Project may be an object of a class: what is not replaced stays reachable.
  return Object.create(project, { manifest: { value: manifest, enumerable: true } }) as Project;
}

function storing(project: Project, node: TestNode): TestNode {
  const config = { ...node.config, store_failures: true };
  if (node.relation_name !== null) return { ...node, config };
  const schema = node.schema || `${project.target.schema}_${AUDIT_SCHEMA}`;
  const name = node.alias || node.name;
  return { ...node, config, schema, alias: name, relation_name: quoteRelation({ schema, name }) };
}
