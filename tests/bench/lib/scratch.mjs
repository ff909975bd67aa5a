import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for a benchmark's databases; `remove` takes it away. TMPDIR says where. */
export async function scratchFolder() {
  const path = await mkdtemp(join(tmpdir(), 'seg-bench-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
