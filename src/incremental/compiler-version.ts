import { readFileSync } from 'node:fs';
import { version } from '../version.ts';

/**
 * Which compiler makes programs here: the version of seg, and a digest of the compiler's files (scripts/build-assets.mjs), since
 * builds of one version may differ. Run from its sources it has no digest.
 */
export const compilerVersion = `${version} ${digest()}`.trim();

function digest(): string {
  try {
    return readFileSync(new URL('../compiler.sha256', import.meta.url), 'utf8').trim();
  } catch {
    return '';
  }
}
