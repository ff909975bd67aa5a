/** Files under target/. Each is written beside its place and renamed, so that nobody reads half of one. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GraphNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';

export function writeArtifact(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

export function writeManifest(project: Project): void {
  writeArtifact(join(project.targetPath, 'manifest.json'), JSON.stringify(project.manifest));
}

/**
 * Where the compiled SQL of a node goes, relative to `target/`: `compiled/<project>/<original path>`; a test that
 * stands in YAML has a file of its own in a folder named like the property file.
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

/** Writes the compiled SQL of the nodes that have any. */
export function writeCompiled(project: Project, nodes: Iterable<GraphNode>): void {
  for (const node of nodes) {
    const path = compiledPath(node);
    if (path === null || !('compiled_code' in node) || node.compiled_code === null) continue;
    writeArtifact(join(project.targetPath, path), node.compiled_code);
  }
}
