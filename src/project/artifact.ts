import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ArtifactMetadata } from './manifest.ts';
import { dbtVersion } from './context/base-context.ts';
import type { Invocation } from './context/base-context.ts';

/** Variables with this prefix are recorded in every artifact, under the rest of their name. */
const recordedPrefix = 'DBT_ENV_CUSTOM_ENV_';

/** dbt's `metadata` block. */
export function artifactMetadata(
  invocation: Pick<Invocation, 'id' | 'startedAt' | 'env'>,
  schema: string,
  more: Partial<ArtifactMetadata> = {},
): ArtifactMetadata {
  const recorded = Object.entries(invocation.env).flatMap(([name, value]): [string, string][] =>
    name.startsWith(recordedPrefix) && value !== undefined
      ? [[name.slice(recordedPrefix.length), value]]
      : [],
  );
  return {
    dbt_schema_version: `https://schemas.getdbt.com/dbt/${schema}.json`,
    dbt_version: dbtVersion,
    generated_at: new Date().toISOString(),
    invocation_id: invocation.id,
    invocation_started_at: invocation.startedAt.toISOString(),
    env: Object.fromEntries(recorded),
    ...more,
  };
}

/** Writes a file, its owner's alone (compiled SQL and results quote data), so that a reader (or a crash) sees the old text or the new one, never a part. */
export function writeAtomically(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // In the same folder: a rename across file systems would be a copy.
  const temporary = `${file}.${Math.random().toString(36).slice(2)}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, file);
}
