import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeAtomically } from './artifact.ts';
import type { Manifest } from './manifest.ts';
import type { ModelNode, TestNode } from './nodes.ts';

/** Writes `manifest.json` into the target folder, whole or not at all. Returns its path. */
export function writeManifest(manifest: Manifest, targetPath: string): string {
  const file = path.join(targetPath, 'manifest.json');
  writeAtomically(file, JSON.stringify(manifest));
  return file;
}

/**
 * Where a node's compiled SQL goes, as in dbt: `compiled/<project>/<original path>`, for tests of YAML
 * `compiled/<project>/<property file>/<short test name>.sql`. Relative to the target folder, with `/`.
 */
export function compiledPath(node: ModelNode | TestNode): string {
  const generic = node.resource_type === 'test' && node.test_metadata !== null;
  const inner = generic ? `${node.original_file_path}/${node.path}` : node.original_file_path;
  return `compiled/${node.package_name}/${inner}`;
}

/** Writes the compiled SQL of all nodes (or those named). */
export function writeCompiled(manifest: Manifest, targetPath: string, ids?: ReadonlySet<string>): void {
  const made = new Set<string>();
  for (const node of Object.values(manifest.nodes)) {
    if (node.resource_type === 'seed' || node.compiled_code === null) continue;
    if (ids !== undefined && !ids.has(node.unique_id)) continue;
    const file = path.join(targetPath, compiledPath(node));
    const folder = path.dirname(file);
    if (!made.has(folder)) mkdirSync(folder, { recursive: true });
    made.add(folder);
    writeFileSync(file, node.compiled_code);
  }
}
