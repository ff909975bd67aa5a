import type { JsonValue } from '../../changelog/change.ts';
import { mergeConfig } from '../config.ts';
import type { SinkNode } from '../nodes.ts';
import { isObject } from '../project-file.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import { modesOfType, secretSettings, sinkModes, sinkSchemas, sinkTypes } from '../schemas/sink-schemas.ts';
import type { SinkMode, SinkType } from '../schemas/sink-schemas.ts';
import { isTemplate } from '../render-tree.ts';
import { validate } from '../validate.ts';
import type { Workspace } from '../workspace.ts';
import { describe } from './descriptions.ts';
import {
  commonConfig,
  objectOrEmpty,
  projectLayers,
  propertyLayers,
  textList,
  textOrNull,
} from './layers.ts';
import { folders, patchPath, sha256 } from './model.ts';
import { checkLength } from './naming.ts';
import { entriesOf, keysOf, objectOf } from '../../json/member-order.ts';

const nodeKeys = ['tags', 'meta', 'enabled', 'group', 'docs'];

/** A sink's node. What it reads is resolved in link-sinks.ts; its settings stay as written, since they may hold secrets. */
export function buildSink(workspace: Workspace, property: Property): SinkNode {
  const { owner, values, name } = property;
  const fqn = [owner.name, ...folders(property.path), name];
  const config = objectOrEmpty(values.config);
  const pick = (own: boolean): JsonObject =>
    Object.fromEntries(Object.entries(config).filter(([key]) => nodeKeys.includes(key) === own));
  const merged = mergeConfig([
    ...projectLayers(workspace, owner, 'sink', fqn),
    ...propertyLayers(workspace, property, 'sink', nodeKeys, { ...values, config: pick(true) }),
  ]);
  const common = commonConfig(merged.values);
  const type = values.type as SinkType;
  const settings = pick(false);
  checkSettings(workspace, property, type, settings);
  // Elsewhere the names of fields may be as long as the receiver takes them.
  if (type === 'postgres') {
    for (const part of ['mapping', 'on_delete'] as const) {
      for (const field of keysOf(objectOrEmpty(values[part])))
        checkLength(workspace, 'column name', field, property.at([part, field], 'key'));
    }
  }
  return {
    resource_type: 'sink',
    unique_id: `sink.${owner.name}.${name}`,
    name,
    package_name: owner.name,
    path: property.path,
    original_file_path: property.originalFile,
    fqn,
    description: describe(workspace, property, values.description, ['description']),
    tags: common.tags,
    meta: common.meta,
    config: common,
    unrendered_config: merged.unrendered,
    patch_path: patchPath(property),
    checksum: sha256(JSON.stringify(property.unrendered)),
    depends_on: { nodes: [], macros: [] },
    at: property.at(['name']),
    type,
    from: textOrNull(values.from) ?? '',
    mode: readMode(workspace, property, type),
    columns: values.columns == null ? null : textList(values.columns),
    mapping: isObject(values.mapping)
      ? objectOf(entriesOf(values.mapping).map(([field, sql]) => [field, textOrNull(sql) ?? '']))
      : null,
    where: textOrNull(values.where),
    primary_key: values.primary_key == null ? null : textList(values.primary_key),
    on_delete: readOnDelete(workspace, property),
    // Notifications tell what happens from now on; copies begin with everything there is.
    backfill: typeof values.backfill === 'boolean' ? values.backfill : !tellsEvents(type, values.mode),
    guard: readGuard(values.guard),
    settings,
    notify: isObject(values.notify)
      ? {
          type: values.notify.type === 'slack' ? 'slack' : 'webhook',
          url: textOrNull(values.notify.url) ?? '',
        }
      : null,
  };
}

function tellsEvents(type: SinkType, mode: JsonValue | undefined): boolean {
  return (type === 'webhook' || type === 'slack') && (mode == null || mode === 'changes');
}

function readMode(workspace: Workspace, { values, name, at }: Property, type: SinkType): SinkMode {
  const allowed: readonly SinkMode[] = sinkTypes.includes(type) ? modesOfType[type] : sinkModes;
  const mode = (textOrNull(values.mode) ?? allowed[0]!) as SinkMode;
  if (!allowed.includes(mode)) {
    workspace.collector.error('SEG130', `a ${type} sink cannot work in mode "${mode}" (sink "${name}")`, {
      at: at(['mode']),
      hint: `Modes of ${type}: ${allowed.join(', ')}.`,
    });
  }
  return mode;
}

function readOnDelete(
  workspace: Workspace,
  { values, name, at }: Property,
): 'ignore' | 'delete' | Record<string, JsonValue> {
  const written = values.on_delete;
  if (isObject(written)) return written;
  if (written === 'ignore' || written === 'delete') return written;
  if (written != null) {
    workspace.collector.error('SEG131', `invalid on_delete of sink "${name}"`, {
      at: at(['on_delete']),
      hint: 'It is ignore, delete, or a mapping of the fields to set: {status: gone}.',
    });
  }
  return values.mode === 'upsert' || values.mode === 'insert_only' || values.mode === 'update_only'
    ? 'ignore'
    : 'delete';
}

/** `guard: 0.25` is for both, `guard: false` for none; default 25 % of at least 100 records. */
function readGuard(written: JsonValue | undefined): SinkNode['guard'] {
  const limit = (value: JsonValue | undefined, fallback: number | null): number | null =>
    typeof value === 'number' ? value : value === false ? null : fallback;
  const common = limit(isObject(written) ? undefined : written, 0.25);
  const parts = objectOrEmpty(written);
  return {
    deletes: limit(parts.deletes, common),
    changes: limit(parts.changes, common),
    at_least: typeof parts.at_least === 'number' ? parts.at_least : 100,
  };
}

/** The settings against the schema of the type; what a template will say is checked when the sink runs. */
function checkSettings(workspace: Workspace, property: Property, type: SinkType, settings: JsonObject): void {
  if (!sinkTypes.includes(type)) return;
  const templates = new Set<string>();
  const visit = (value: JsonValue, path: (string | number)[], key: string): void => {
    if (typeof value === 'string') {
      const at = property.at(['config', ...path]);
      if (isTemplate(value)) templates.add(`${at.line}:${at.column}`);
      else refuseWrittenSecret(workspace, property, type, path, key, value);
    } else if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...path, index], key));
    else if (isObject(value))
      for (const [inner, item] of Object.entries(value)) visit(item, [...path, inner], inner);
  };
  for (const [key, value] of Object.entries(settings)) visit(value, [key], key);
  const found = validate(sinkSchemas[type], settings, (path, part) => property.at(['config', ...path], part));
  workspace.collector.add(
    found.filter(({ at, code }) => code === 'SEG113' || !templates.has(`${at?.line}:${at?.column}`)),
  );
}

function refuseWrittenSecret(
  workspace: Workspace,
  property: Property,
  type: SinkType,
  path: readonly (string | number)[],
  key: string,
  value: string,
): void {
  const secret =
    secretSettings.has(key) ||
    secretSettings.has(`${type}.${key}`) ||
    (path[0] === 'headers' && /auth|token|secret|api-?key|password|cookie/i.test(key)) ||
    hasPassword(value);
  if (!secret || value === '') return;
  workspace.collector.error(
    'SEG132',
    `"${key}" of sink "${property.name}" is a secret written into the project`,
    {
      at: property.at(['config', ...path]),
      hint: `Read it from the environment: "{{ env_var('SEG_SECRET_${key.toUpperCase().replace(/\W/g, '_')}') }}".`,
    },
  );
}

function hasPassword(value: string): boolean {
  if (!value.includes('://')) return false;
  try {
    return new URL(value).password !== '';
  } catch {
    return false;
  }
}
