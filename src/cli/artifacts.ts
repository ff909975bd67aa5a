/** Files under target/. Each is written beside its place and renamed, so that nobody reads half of one. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GraphNode } from '../project/nodes.ts';
import type { Project } from '../project/load.ts';
import { compiledPath } from '../run/compiled-path.ts';

export function writeArtifact(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    // A full disk does not say which file it has no room for.
    throw Object.assign(error as NodeJS.ErrnoException, { path });
  }
}

export function writeManifest(project: Project): void {
  writeArtifact(join(project.targetPath, 'manifest.json'), JSON.stringify(project.manifest));
}

/** Writes the compiled SQL of the nodes that have any. */
export function writeCompiled(project: Project, nodes: Iterable<GraphNode>): void {
  for (const node of nodes) {
    const path = compiledPath(node);
    if (path === null || !('compiled_code' in node) || node.compiled_code === null) continue;
    const file = join(project.targetPath, path);
    // Putting a file in the place of another makes the file system flush it to the disk: half a millisecond for each node.
    if (!holds(file, node.compiled_code)) writeArtifact(file, node.compiled_code);
  }
}

function holds(path: string, text: string): boolean {
  try {
    return readFileSync(path, 'utf8') === text;
  } catch {
    return false;
  }
}
