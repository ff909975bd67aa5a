/** A connector as it stands in a property file → its settings, rendered, with the secrets kept apart. */
import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import { SegError, segError } from '../../diagnostics/seg-error.ts';
import type { Project } from '../../project/load.ts';
import { renderTree } from '../../project/render-tree.ts';
import {
  connectorSchemas,
  isSecretSetting,
  sinkConnectorSchemas,
} from '../../project/schemas/connector-schemas.ts';
import { validate } from '../../project/validate.ts';

/** Stands for a secret in everything that is stored or shown. */
export function secretToken(name: string): string {
  return `{{seg secret ${name}}}`;
}

const token = /\{\{seg secret ([^}]*)\}\}/g;

/** SQL with the secrets in it: to be sent, and not to be kept. Values come into literals, so quotes are doubled. */
export function withSecrets(sql: string, secrets: ReadonlyMap<string, string> | undefined): string {
  return sql.replace(token, (whole, name: string) => secrets?.get(name)?.replaceAll("'", "''") ?? whole);
}

export interface ConnectorSettings {
  readonly type: string;
  /** The engine's own options, as text; a secret is its token. */
  readonly options: Readonly<Record<string, string>>;
  /** Secrets by the name in their token. */
  readonly secrets: ReadonlyMap<string, string>;
  /** A setting as text; a secret is its token; undefined when it is not set. */
  text(name: string): string | undefined;
  list(name: string): string[];
  flag(name: string): boolean | undefined;
}

export interface ConnectorOwner {
  readonly label: string;
  readonly at: Location;
  readonly packageName: string;
  readonly connector: Readonly<Record<string, JsonValue>>;
  readonly of: 'source' | 'sink';
}

/**
 * @param dry for a look without a connection: templates that read the environment are not rendered
 * @throws SegError SEG230 for a missing environment variable, SEG110..SEG112 for settings that do not fit once rendered
 */
export function connectorSettings(
  project: Pick<Project, 'renderTemplate'>,
  owner: ConnectorOwner,
  dry: boolean,
): ConnectorSettings {
  const secrets = new Map<string, string>();
  const rendered = renderTree({ ...owner.connector }, (template, path) => {
    const key = String(path.findLast((step) => typeof step === 'string') ?? '');
    const secret = isSecretSetting(key) || /env_var\(\s*['"]\w*(SECRET|TOKEN|PASS|KEY|AUTH)/i.test(template);
    if (dry) return secret ? secretToken(key) : template;
    const value = project.renderTemplate(template, {
      file: owner.at.file,
      at: owner.at,
      packageName: owner.packageName,
      secrets: true,
    });
    if (!secret) return value;
    secrets.set(key, textOf(value));
    return secretToken(key);
  }) as Readonly<Record<string, JsonValue>>;
  const type = textOf(rendered['type'] ?? '');
  if (!dry) {
    const schema = (owner.of === 'source' ? connectorSchemas : sinkConnectorSchemas)[type as 'kafka'];
    const mistakes = validate(schema, rendered, () => owner.at).filter(
      ({ severity }) => severity === 'error',
    );
    if (mistakes.length > 0) throw new SegError(mistakes);
  }
  const options = rendered['options'] as Readonly<Record<string, JsonValue>> | null | undefined;
  for (const name of Object.keys(options ?? {})) {
    if (/^[a-z][\w.]*( [\w.]+)*$/i.test(name)) continue;
    throw segError('SEG440', `"${name}" is no name of an option of the connector of ${owner.label}`, {
      at: owner.at,
      hint: 'Names are letters, digits, "_" and "."; on Materialize several words.',
    });
  }
  const text = (name: string): string | undefined => {
    const value = rendered[name];
    return value === undefined || value === null || value === '' ? undefined : textOf(value);
  };
  return {
    type,
    options: Object.fromEntries(
      Object.entries(options ?? {}).flatMap(([name, value]) =>
        value === null ? [] : [[name, textOf(value)]],
      ),
    ),
    secrets,
    text,
    list(name) {
      const value = rendered[name];
      if (Array.isArray(value)) return value.map(textOf);
      return (text(name) ?? '').split(/[\s,]+/).filter((item) => item !== '');
    },
    flag(name) {
      const value = rendered[name];
      return typeof value === 'boolean' ? value : undefined;
    },
  };
}

/** What must be there. @throws SegError SEG440 */
export function required(settings: ConnectorSettings, name: string, owner: ConnectorOwner): string {
  const value = settings.text(name);
  if (value !== undefined) return value;
  throw segError('SEG440', `"${name}" of the connector of ${owner.label} is empty`, {
    at: owner.at,
    hint: 'Set it, or the environment variable that it reads.',
  });
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
