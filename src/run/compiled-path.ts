import type { GraphNode } from '../project/nodes.ts';

/**
 * Where the compiled SQL of a node goes, relative to the target folder: `compiled/<package>/<original path>`; a test that
 * stands in YAML has a file of its own in a folder named like the property file. null for nodes without SQL.
 */
export function compiledPath(node: GraphNode): string | null {
  if (!('compiled_code' in node)) return null;
  const inYaml = /\.ya?ml$/.test(node.original_file_path);
  const own = inYaml
    ? `/${node.path
        .split('/')
        .at(-1)!
        .replace(/(\.sql)?$/, '.sql')}`
    : '';
  return `compiled/${node.package_name}/${node.original_file_path}${own}`;
}
