import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import type { TargetType } from '../profiles.ts';
import { isObject } from '../project-file.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import { isTemplate } from '../render-tree.ts';
import {
  connectorEngines,
  connectorSchemas,
  isSecretSetting,
  sinkConnectorEngines,
  sinkConnectorSchemas,
} from '../schemas/connector-schemas.ts';
import type { Schema } from '../schemas/schema.ts';
import { validate } from '../validate.ts';
import type { Workspace } from '../workspace.ts';
import type { YamlPath } from '../yaml.ts';

const targetTypes: readonly TargetType[] = ['pglite', 'postgres', 'risingwave', 'materialize'];

/** Codes of what a project asks of its target's engine, and the engine has not: connectors, sink models. */
export const lacksOfTheTarget: ReadonlySet<string> = new Set(['SEG139', 'SEG140']);

export interface ConnectorPlace {
  /** For messages: `source "a.b"`. */
  readonly label: string;
  /** Where the item with the connector stands in its property. */
  readonly path: YamlPath;
  readonly item: JsonObject;
  readonly fallback: Location;
  readonly of: 'source' | 'sink';
}

/**
 * The connector of a source, or of a sink model, for the target's engine; null where that engine is to do without. It is written
 * for every engine (`connector: {type: kafka, ...}`), or engine by engine (`connector: {risingwave: {type: ...}}`).
 * Settings stay as written: templates are rendered when the source is made, since they may hold secrets.
 */
export function readConnector(
  workspace: Workspace,
  property: Property,
  written: JsonValue | undefined,
  place: ConnectorPlace,
): JsonObject | null {
  if (!isObject(written)) return null;
  const { collector, target } = workspace;
  const schemas: Readonly<Record<string, Schema>> =
    place.of === 'source' ? connectorSchemas : sinkConnectorSchemas;
  const engines: Readonly<Record<string, readonly string[]>> =
    place.of === 'source' ? connectorEngines : sinkConnectorEngines;
  const base: YamlPath = isObject(place.item.connector)
    ? [...place.path, 'connector']
    : [...place.path, 'config', 'connector'];
  const known = isObject(place.item.connector) || isObject((place.item.config as JsonObject)?.connector);
  const at = (path: YamlPath, part?: 'key' | 'value'): Location =>
    known ? property.at([...base, ...path], part) : place.fallback;
  const byEngine = Object.keys(written).some((key) => targetTypes.includes(key as TargetType));
  if (!byEngine) {
    return check(written, []);
  }
  let chosen: JsonObject | null = null;
  for (const [engine, settings] of Object.entries(written)) {
    if (!targetTypes.includes(engine as TargetType)) {
      collector.error('SEG138', `unknown engine "${engine}" in the connector of ${place.label}`, {
        at: at([engine], 'key'),
        hint: didYouMean(engine, targetTypes) ?? `Engines: ${targetTypes.join(', ')}.`,
      });
      continue;
    }
    if (!isObject(settings)) continue;
    const checked = check(settings, [engine], engine as TargetType);
    if (engine === target.type) chosen = checked;
  }
  return chosen;

  function check(settings: JsonObject, path: YamlPath, engine: TargetType = target.type): JsonObject | null {
    const type = settings.type;
    const schema = typeof type === 'string' ? schemas[type] : undefined;
    if (schema === undefined || typeof type !== 'string') {
      const types = Object.keys(schemas);
      const shown = typeof type === 'string' ? ` "${type}"` : '';
      collector.error('SEG138', `unknown type${shown} of the connector of ${place.label}`, {
        at: at(type === undefined ? path : [...path, 'type']),
        hint:
          (typeof type === 'string' ? didYouMean(type, types) : undefined) ??
          `Write "type:", one of ${types.join(', ')}.`,
      });
      return null;
    }
    if (!engines[type]!.includes(engine)) {
      collector.error('SEG139', `${place.label} has a ${type} connector, which ${engine} has not`, {
        at: at([...path, 'type']),
        hint:
          place.of === 'source'
            ? `Write it for the engines that have it, "connector: {${engines[type]!.join(': {...}, ')}: {...}}"; the others then take the records of "seg ingest".`
            : `Write it for the engines that have it, and "enabled: \\"{{ target.type == '${engines[type]![0]}' }}\\"" beside it; on others a sink of "sinks:" sends the changes ("seg sync").`,
      });
      return null;
    }
    const templates = new Set<string>();
    const visit = (value: JsonValue, inner: YamlPath, key: string): void => {
      if (typeof value === 'string') {
        const found = at(inner);
        if (isTemplate(value)) templates.add(`${found.line}:${found.column}`);
        else if (value !== '' && isSecretSetting(key)) refuseWrittenSecret(key, found);
      } else if (Array.isArray(value)) value.forEach((item, i) => visit(item, [...inner, i], key));
      else if (isObject(value))
        for (const [name, item] of Object.entries(value)) visit(item, [...inner, name], name);
    };
    for (const [key, value] of Object.entries(settings)) visit(value, [...path, key], key);
    const mistakes = validate(schema, settings, (inner, part) => at([...path, ...inner], part));
    collector.add(
      mistakes.filter(
        (mistake) => mistake.code === 'SEG113' || !templates.has(`${mistake.at?.line}:${mistake.at?.column}`),
      ),
    );
    return settings;
  }

  function refuseWrittenSecret(key: string, found: Location): void {
    collector.error(
      'SEG132',
      `"${key}" of the connector of ${place.label} is a secret written into the project`,
      {
        at: found,
        hint: `Read it from the environment: "{{ env_var('SEG_SECRET_${key.toUpperCase().replace(/\W/g, '_')}') }}".`,
      },
    );
  }
}
