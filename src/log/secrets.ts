import { masker } from './mask.ts';

/** Environment variables with these prefixes hold secrets; dbt's names and seg's own. */
const SECRET_PREFIXES = ['DBT_ENV_SECRET', 'DBT_ENGINE_ENV_SECRET', 'SEG_ENV_SECRET', 'SEG_SECRET'];

/** A function that replaces the value of every secret of the environment by `*****`, as dbt's logs do. */
export function secretScrubber(env: NodeJS.ProcessEnv): (text: string) => string {
  const secrets = Object.entries(env)
    .filter(([name, value]) => value?.trim() && SECRET_PREFIXES.some((prefix) => name.startsWith(prefix)))
    .map(([, value]) => value!.trim());
  return secrets.length === 0 ? (text) => text : masker(secrets, 1);
}
