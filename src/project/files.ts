import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import ignore from 'ignore';
import type { Ignore } from 'ignore';

/** A file of the project: `path` relative to its resource folder, `file` relative to the project's root (both with `/`). */
export interface FoundFile {
  readonly folder: string;
  readonly path: string;
  readonly file: string;
  readonly absolute: string;
}

/** The text of a file, without a byte order mark and with `\n` as the only line end, so that offsets agree everywhere. */
export function readText(absolute: string): string {
  return readFileSync(absolute, 'utf8')
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n');
}

/** `.dbtignore` and `.segignore` of a project's root (gitignore syntax). */
export function readIgnoreRules(root: string): Ignore {
  const rules = ignore();
  for (const name of ['.dbtignore', '.segignore']) {
    const file = path.join(root, name);
    if (existsSync(file)) rules.add(readText(file));
  }
  return rules;
}

/**
 * All files under `folders` (relative to `root`), sorted by path so that everything after is reproducible. A folder that
 * does not exist is no error, as in dbt. Hidden files and folders are left out.
 */
export function findFiles(root: string, folders: readonly string[], rules: Ignore): FoundFile[] {
  const found = new Map<string, FoundFile>();
  const visit = (folder: string, relative: string): void => {
    const absolute = path.join(root, folder, relative);
    for (const entry of readdirSync(absolute, { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const inner = relative === '' ? entry.name : `${relative}/${entry.name}`;
      const file = path.posix.normalize(`${folder}/${inner}`);
      const full = path.join(absolute, entry.name);
      const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && isDirectory(full));
      if (!file.startsWith('../') && rules.ignores(isFolder ? `${file}/` : file)) continue;
      if (isFolder) visit(folder, inner);
      else if (!found.has(file)) found.set(file, { folder, path: inner, file, absolute: full });
    }
  };
  for (const folder of folders.map((name) =>
    path.posix.normalize(name.replaceAll('\\', '/').replace(/\/+$/, '')),
  )) {
    if (isDirectory(path.join(root, folder))) visit(folder, '');
  }
  return [...found.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
}

export function isDirectory(absolute: string): boolean {
  return statSync(absolute, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

export function isFile(absolute: string): boolean {
  return statSync(absolute, { throwIfNoEntry: false })?.isFile() ?? false;
}
