import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';

export type Env = Readonly<Record<string, string | undefined>>;

/** Variables with these prefixes hold secrets: they may be read in profiles.yml only and never reach an artifact. */
const secretPrefixes = ['DBT_ENV_SECRET', 'SEG_ENV_SECRET'];

/**
 * The value of `env_var(name, fallback)`. Throws SEG230 for a variable that is not set and has no fallback, SEG231 for a
 * secret outside of profiles.yml (it would end in compiled SQL and in manifest.json).
 */
export function readEnvVar(
  env: Env,
  name: string,
  fallback: string | undefined,
  at: Location,
  options: { secrets: boolean },
): string {
  if (!options.secrets && secretPrefixes.some((prefix) => name.startsWith(prefix))) {
    throw segError(
      'SEG231',
      `environment variable "${name}" is a secret and may be read in profiles.yml only`,
      {
        at,
        hint: 'Give the variable a name without SECRET if its value may be seen in compiled SQL.',
      },
    );
  }
  const value = env[name] ?? fallback;
  if (value !== undefined) return value;
  const near = didYouMean(name, Object.keys(env));
  const remedy = `Set it, or give a default: env_var('${name}', 'value').`;
  throw segError('SEG230', `missing environment variable "${name}"`, {
    at,
    hint: near === undefined ? remedy : `${near} ${remedy}`,
  });
}

/** A setting under its seg name, else its dbt name: `SEG_TARGET`, `DBT_TARGET`. An empty text counts as not set. */
export function setting(env: Env, name: string): string | undefined {
  return env[`SEG_${name}`] || env[`DBT_${name}`] || undefined;
}
