import { homedir } from 'node:os';
import path from 'node:path';
import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError, SegError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { Collector } from './collector.ts';
import { setting } from './environment-variables.ts';
import type { Env } from './environment-variables.ts';
import { isFile, readText } from './files.ts';
import { isObject } from './project-file.ts';
import type { JsonObject } from './project-file.ts';
import { renderTree } from './render-tree.ts';
import { profileSchema, targetSchemas } from './schemas/project-schema.ts';
import { validate } from './validate.ts';
import { parseYaml } from './yaml.ts';
import type { YamlFile } from './yaml.ts';
import { pythonStr } from './python-text.ts';

export type TargetType = 'pglite' | 'postgres' | 'risingwave' | 'materialize';

/** Where the project's relations live: one output of a profile. */
export interface Target {
  name: string;
  profileName: string;
  type: TargetType;
  schema: string;
  database: string;
  threads: number;
  /** Every field of the output, rendered (path, host ...). */
  fields: Record<string, JsonValue>;
}

export interface ProfileOptions {
  /** `--profiles-dir` */
  profilesDir?: string;
  /** Folders that are searched for profiles.yml after the variables, in order (the one the command runs in, the root). */
  folders: readonly string[];
  profile: string;
  /** `--target` */
  target?: string;
  threads?: number;
  /** The target as if it were of this type, for what needs no connection. */
  engine?: TargetType;
  env: Env;
  /** Renders one text of the file; env_var() may read secrets here. */
  render: (file: string, text: string, at: Location) => JsonValue;
}

export interface LoadedProfile {
  target: Target;
  file: YamlFile;
  warnings: Collector['warnings'];
}

/**
 * Reads profiles.yml and picks the target, as dbt: `--target`, then SEG_TARGET / DBT_TARGET, then the profile's
 * `target`, then "default". Only the chosen output is rendered, so that others may need variables that are not set.
 * Throws SEG851.. with place and nearest names.
 */
export function loadTarget(options: ProfileOptions): LoadedProfile {
  const { shown, absolute } = findProfiles(options);
  const { yaml, errors } = parseYaml(shown, readText(absolute));
  if (errors.length > 0) throw new SegError(errors);
  const profiles = isObject(yaml.value) ? yaml.value : {};
  const names = Object.keys(profiles).filter((name) => name !== 'config');
  const profile = Object.hasOwn(profiles, options.profile) ? profiles[options.profile] : undefined;
  if (profile === undefined) {
    throw segError('SEG852', `unknown profile "${options.profile}"`, {
      at: yaml.at([]),
      hint: `${didYouMean(options.profile, names) ?? `Profiles in this file: ${names.join(', ') || 'none'}.`} The project file names its profile under "profile".`,
    });
  }
  const collector = new Collector();
  collector.add(validate(profileSchema, profile, (at, part) => yaml.at([options.profile, ...at], part)));
  if (!isObject(profile)) {
    collector.error('SEG110', `wrong type for "${options.profile}": expected a mapping`, {
      at: yaml.at([options.profile]),
    });
  }
  collector.throwIfErrors();
  const { target: written, outputs } = profile as { target?: JsonValue; outputs: JsonObject };
  const render = (text: string, at: readonly (string | number)[]): JsonValue =>
    options.render(shown, text, yaml.at([options.profile, ...at]));
  const byFile =
    typeof written === 'string' ? renderTree(written, (text) => render(text, ['target'])) : undefined;
  const wanted =
    options.target ?? setting(options.env, 'TARGET') ?? (byFile as string | undefined) ?? 'default';
  if (!Object.hasOwn(outputs, wanted)) {
    const known = Object.keys(outputs);
    throw segError('SEG853', `unknown target "${wanted}" in profile "${options.profile}"`, {
      at: yaml.at([options.profile, 'outputs'], 'key'),
      hint: `${didYouMean(wanted, known) ?? ''} Targets of this profile: ${known.join(', ') || 'none'}.`.trim(),
    });
  }
  const place = [options.profile, 'outputs', wanted];
  const rendered = renderTree(outputs[wanted]!, (text, at) =>
    options.render(shown, text, yaml.at([...place, ...at])),
  );
  const target = toTarget(rendered, wanted, options, collector, (at, part) =>
    yaml.at([...place, ...at], part),
  );
  const { engine } = options;
  return {
    target: engine === undefined || engine === target.type ? target : withoutConnection(engine, target),
    file: yaml,
    warnings: collector.warnings,
  };
}

function withoutConnection(type: TargetType, like: Target): Target {
  return { ...like, type, database: defaultDatabase(type), fields: { type } };
}

function defaultDatabase(type: string): string {
  return type === 'risingwave' ? 'dev' : type === 'materialize' ? 'materialize' : 'postgres';
}

function toTarget(
  output: JsonValue,
  name: string,
  options: ProfileOptions,
  collector: Collector,
  at: (path: readonly (string | number)[], part?: 'key' | 'value') => Location,
): Target {
  const fields = isObject(output) ? output : {};
  const types = Object.keys(targetSchemas);
  if (fields.type === undefined) {
    throw segError('SEG854', `missing key "type" in profile "${options.profile}" and target "${name}"`, {
      at: at([]),
      hint: `Add "type:", one of ${types.join(', ')}.`,
    });
  }
  const type = fields.type;
  if (typeof type !== 'string' || !Object.hasOwn(targetSchemas, type)) {
    const shown = typeof type === 'string' ? type : JSON.stringify(type);
    throw segError('SEG855', `unknown target type "${shown}"`, {
      at: at(['type']),
      hint: `${didYouMean(shown, types) ?? ''} Types: ${types.join(', ')}.`.trim(),
    });
  }
  collector.add(validate(targetSchemas[type]!, output, at));
  collector.throwIfErrors();
  return {
    name,
    profileName: options.profile,
    type: type as TargetType,
    schema: typeof fields.schema === 'string' ? fields.schema : 'public',
    database: pythonStr(fields.database ?? fields.dbname ?? defaultDatabase(type)),
    threads: options.threads ?? (typeof fields.threads === 'number' ? fields.threads : 1),
    fields,
  };
}

/** `--profiles-dir`, SEG_PROFILES_DIR / DBT_PROFILES_DIR, the project's folder, `~/.dbt`. */
function findProfiles(options: ProfileOptions): { shown: string; absolute: string } {
  const named = options.profilesDir ?? setting(options.env, 'PROFILES_DIR');
  const root = options.folders.at(-1)!;
  const home = options.env.HOME ?? options.env.USERPROFILE ?? homedir();
  const folders =
    named === undefined ? [...options.folders, path.join(home, '.dbt')] : [path.resolve(root, named)];
  for (const folder of folders) {
    for (const name of ['profiles.yml', 'profiles.yaml']) {
      const absolute = path.resolve(folder, name);
      if (!isFile(absolute)) continue;
      const relative = path.relative(root, absolute).replaceAll(path.sep, '/');
      return { shown: relative.startsWith('..') ? absolute : relative, absolute };
    }
  }
  throw segError('SEG851', `no profiles.yml in ${[...new Set(folders)].join(', ')}`, {
    hint: 'It says where the models live. `seg init` writes one; --profiles-dir or SEG_PROFILES_DIR names its folder.',
  });
}
