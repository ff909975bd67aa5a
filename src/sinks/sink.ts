/** A sink made ready to run: settings rendered, columns known, its place in the database found. */
import type { JsonValue } from '../changelog/change.ts';
import type { ExactJson } from '../json/exact-json.ts';
import { stateSchemaOf } from '../deploy/spec.ts';
import { SegError, segError } from '../diagnostics/seg-error.ts';
import { holdsCredentials, masker } from '../log/mask.ts';
import type { Project } from '../project/load.ts';
import type { SinkNode } from '../project/nodes.ts';
import { isTemplate, renderTree } from '../project/render-tree.ts';
import { recordTemplates, secretSettings, sinkSchemas } from '../project/schemas/sink-schemas.ts';
import { validate } from '../project/validate.ts';

export type Settings = Readonly<Record<string, JsonValue>>;

export interface Sink {
  readonly node: SinkNode;
  readonly name: string;
  readonly stateSchema: string;
  /** The column that tells the order of arrival, when a source is read. */
  readonly position: string | null;
  /** Rendered, except templates over records. */
  readonly settings: Settings;
  /** Renders a template over a record or a batch (`body`, `text`). */
  render(template: JsonValue, values: Readonly<Record<string, ExactJson>>): ExactJson;
  /** Replaces every secret of the settings in a text that somebody may see. */
  scrub(text: string): string;
  readonly root: string;
  readonly notify: { readonly type: 'slack' | 'webhook'; readonly url: string } | null;
}

/**
 * @param options.unset what stands for a setting whose variable of the environment is not set
 * @throws SegError SEG230 for a missing environment variable, SEG110..SEG112 for settings that do not fit once rendered
 */
export function prepareSink(
  project: Project,
  node: SinkNode,
  { unset }: { readonly unset?: (setting: string) => string } = {},
): Sink {
  const { file } = node.at;
  const secrets: string[] = [];
  const options = { file, at: node.at, packageName: node.package_name, secrets: true };
  const render = (text: string): JsonValue => project.renderTemplate(text, options);
  const renderOr = (text: string, otherwise: () => string | undefined): JsonValue => {
    try {
      return render(text);
    } catch (error) {
      const fallback = isUnset(error) ? otherwise() : undefined;
      if (fallback === undefined) throw error;
      return fallback;
    }
  };
  const rendered = Object.fromEntries(
    Object.entries(node.settings).map(([key, value]) => [
      key,
      recordTemplates.has(key)
        ? value
        : renderTree(value, (text) => {
            const found = renderOr(text, () => unset?.(key));
            if (holdsSecret(node.type, key, text, textOf(found))) secrets.push(textOf(found));
            return found;
          }),
    ]),
  );
  for (const name of secretVariables(node)) {
    secrets.push(textOf(render(`{{ env_var(${JSON.stringify(name)}, '') }}`)));
  }
  const notify =
    node.notify === null
      ? null
      : { ...node.notify, url: textOf(renderOr(node.notify.url, () => unset?.('url'))) };
  if (notify !== null && isTemplate(node.notify!.url)) secrets.push(notify.url);
  const mistakes = validate(sinkSchemas[node.type], rendered, () => node.at).filter(
    ({ severity }) => severity === 'error',
  );
  if (mistakes.length > 0) throw new SegError(mistakes);
  return {
    node,
    name: node.name,
    stateSchema: stateSchemaOf(project),
    position:
      Object.values(project.manifest.sources[node.from]?.columns ?? {}).find(
        ({ generated }) => generated === 'position',
      )?.name ?? null,
    settings: rendered,
    root: project.root,
    notify,
    render: (template, values) =>
      renderTree<ExactJson>(template, (text) => project.renderRecord(text, values, options)),
    scrub: masker([...secrets, ...secrets.map(escapedInJson)]),
  };
}

function isUnset(error: unknown): boolean {
  return error instanceof SegError && error.diagnostics.every(({ code }) => code === 'SEG230');
}

/** Also where the template stands in JSON text. */
const SECRET_VARIABLE = /env_var\(\s*\\?['"](\w*(?:SECRET|TOKEN|PASS|KEY|AUTH)\w*)/gi;

/** Variables with secrets that the templates over records read: they are rendered anew for each. */
function secretVariables({ settings }: SinkNode): string[] {
  const templates = Object.entries(settings).filter(([key]) => recordTemplates.has(key));
  return [...JSON.stringify(templates).matchAll(SECRET_VARIABLE)].map(([, name]) => name!);
}

/** As a secret stands in a body: `a"b` as `a\"b`. */
function escapedInJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** A value nobody may see: by the name of its setting or of its variable, or because it is an address with credentials. */
function holdsSecret(type: string, key: string, template: string, value: string): boolean {
  return (
    key === 'headers' ||
    secretSettings.has(key) ||
    secretSettings.has(`${type}.${key}`) ||
    template.search(SECRET_VARIABLE) >= 0 ||
    holdsCredentials(value)
  );
}

/** Settings by kind; a template that gave a number as text is a number. */
export function numberSetting(settings: Settings, key: string, fallback: number): number {
  const value = settings[key];
  return typeof value === 'number' ? value : fallback;
}

export function textSetting(settings: Settings, key: string): string | undefined {
  const value = settings[key];
  return value === undefined || value === null || value === '' ? undefined : textOf(value);
}

function textOf(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Texts of a setting that may be one text or a list. */
export function listSetting(settings: Settings, key: string): string[] {
  const value = settings[key];
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : String(textOf(value)).split(/[\s,]+/)).map((item) => textOf(item));
}

/** @throws SegError SEG720 when the setting is empty once rendered */
export function requiredSetting(sink: Sink, key: string): string {
  const value = textSetting(sink.settings, key);
  if (value !== undefined) return value;
  throw segError('SEG720', `"${key}" of sink "${sink.name}" is empty`, {
    at: sink.node.at,
    hint: 'Set the environment variable that it reads.',
  });
}
