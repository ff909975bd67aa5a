/** Cases that failed once, as the soak wrote them. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PGliteDatabase } from '../../src/engines/pglite/connection.ts';
import { openMemoryDatabase } from '../../src/engines/pglite/memory.ts';
import { runCase } from './trace-runner.ts';
import type { Case } from './trace-runner.ts';

const folder = join(import.meta.dirname, 'regressions');
const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];

describe.runIf(files.length > 0)('what failed once', () => {
  let db: PGliteDatabase | undefined;
  afterAll(() => db?.close());

  it.each(files)('%s', async (name) => {
    db ??= await openMemoryDatabase({ size: 'large' });
    const input = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Case;
    const { mismatch, refused } = await runCase(db, input);
    expect(mismatch, input.about).toBeNull();
    expect(refused).toEqual([]);
  });
});
