/** Environment variables with these prefixes hold secrets; dbt's names and seg's own. */
const SECRET_PREFIXES = ['DBT_ENV_SECRET', 'DBT_ENGINE_ENV_SECRET', 'SEG_ENV_SECRET', 'SEG_SECRET'];
const MASK = '*****';

/** A function that replaces the value of every secret of the environment by `*****`, as dbt's logs do. */
export function secretScrubber(env: NodeJS.ProcessEnv): (text: string) => string {
  const secrets = Object.entries(env)
    .filter(([name, value]) => value?.trim() && SECRET_PREFIXES.some((prefix) => name.startsWith(prefix)))
    .map(([, value]) => value!.trim())
    // The longest first: a secret that contains another must not leave its rest behind.
    .sort((a, b) => b.length - a.length);
  if (secrets.length === 0) return (text) => text;
  return (text) => secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, MASK), text);
}
