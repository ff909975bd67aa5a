import { isAbsolute, join } from 'node:path';
import type { Target } from '../project/profiles.ts';
import type { Database } from './connection.ts';

export interface OpenOptions {
  /** The project's root; a relative `path` of the target is looked up there. */
  readonly root: string;
  /** What the owner is called for others: `seg ingest`. */
  readonly command: string;
  /** Become the owner, or fail: do not go through a server that holds the database. */
  readonly alone?: boolean;
  /** For `seg serve`: an embedded database with little memory. */
  readonly serves?: boolean;
}

/**
 * Opens the database of a target, alone where the engine needs that; an embedded one that `seg serve` holds, through it.
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
  const directory = dataDirectory(target, options.root);
  const { findServer, openServed } = await import('./pglite/served.ts');
  const server = options.alone === true ? undefined : await findServer(directory);
  if (server !== undefined) return openServed(server, options.command);
  const buffers = target.fields['shared_buffers'];
  const { openDirectoryDatabase } = await import('./pglite/open.ts');
  return openDirectoryDatabase(directory, {
    command: options.command,
    durability: target.fields['durability'] === 'process' ? 'process' : 'commit',
    ...(options.serves === true ? { serves: true } : {}),
    ...(typeof buffers === 'string' ? { buffers } : {}),
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
