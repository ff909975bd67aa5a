import { isAbsolute, join } from 'node:path';
import type { Target } from '../project/profiles.ts';
import type { Database } from './connection.ts';

export interface OpenOptions {
  /** The project's root; a relative `path` of the target is looked up there. */
  readonly root: string;
  /** What the owner is called for others: `seg ingest`. */
  readonly command: string;
}

/**
 * Opens the database of a target, alone where the engine needs that.
 * @throws SegError SEG801..SEG804 (see pglite/open.ts), SEG811..SEG817 (postgres/open.ts), SEG822 (streaming/open.ts)
 */
export async function openDatabase(target: Target, options: OpenOptions): Promise<Database> {
  if (target.type === 'postgres') {
    const { openPostgres } = await import('./postgres/open.ts');
    return openPostgres(target, options);
  }
  if (target.type === 'risingwave' || target.type === 'materialize') {
    const { openStreaming } = await import('./streaming/open.ts');
    return openStreaming(target, options);
  }
  if (isMemory(target)) {
    const { openMemoryDatabase } = await import('./pglite/memory.ts');
    return openMemoryDatabase({ size: 'large' });
  }
  const { openDirectoryDatabase } = await import('./pglite/open.ts');
  return openDirectoryDatabase(dataDirectory(target, options.root), {
    command: options.command,
    durability: target.fields['durability'] === 'process' ? 'process' : 'commit',
  });
}

export function isMemory(target: Target): boolean {
  const path = target.fields['path'];
  return (
    path === 'memory' || path === ':memory:' || (typeof path === 'string' && path.startsWith('memory://'))
  );
}

/** The directory of a pglite target's database, absolute. */
export function dataDirectory(target: Target, root: string): string {
  const path = target.fields['path'];
  const directory = typeof path === 'string' && path !== '' ? path : join('.seg', 'data');
  return isAbsolute(directory) ? directory : join(root, directory);
}
