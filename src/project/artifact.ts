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
