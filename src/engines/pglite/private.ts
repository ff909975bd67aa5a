/** A data directory is its owner's alone, as PostgreSQL keeps it: folders 0700, files 0600. */
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The bits of a mode that let others in. */
export const OF_OTHERS = 0o077;

/**
 * Takes a data directory from everybody but its owner. What lies in it is looked at only when the directory itself was open: PostgreSQL
 * makes its own files private, only those that were unpacked or made by an earlier version are not.
 */
export function keepPrivate(directory: string): void {
  if ((statSync(directory).mode & OF_OTHERS) === 0) return;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
  }
  // Last: a kill before this line leaves the directory to the next opening.
  chmodSync(directory, 0o700);
}
