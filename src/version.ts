import { readFileSync } from 'node:fs';

/** The version of this seg, from its package.json, which lies one folder above both src/ and dist/. */
export const version = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;
