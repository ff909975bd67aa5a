import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import { asList, checkConfig } from '../config.ts';
import type { ConfigLayer } from '../config.ts';
import type { Package } from '../package.ts';
import { isObject } from '../project-file.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import type { ConfigKind } from '../schemas/config-schemas.ts';
import type { Workspace } from '../workspace.ts';
import type { YamlPath } from '../yaml.ts';

/** The project files' layers for a node: its own package's, then the root project's, which wins. */
export function projectLayers(
  workspace: Workspace,
  owner: Package,
  kind: ConfigKind,
  fqn: readonly string[],
): ConfigLayer[] {
  const root = workspace.rootPackage.configs[kind].layers(fqn);
  return owner === workspace.rootPackage ? root : [...owner.configs[kind].layers(fqn), ...root];
}

/**
 * The layer of a YAML item: what stands directly on it (`tags`, `meta`, and for sources seg's keys) and its `config:`,
 * which wins. Checks the block; `path` is where the item stands inside of the property.
 */
export function propertyLayers(
  workspace: Workspace,
  property: Property,
  kind: ConfigKind,
  direct: readonly string[],
  item: JsonObject = property.values,
  path: YamlPath = [],
): ConfigLayer[] {
  const unrendered = path.reduce<JsonValue | undefined>(
    (at, step) => (Array.isArray(at) ? at[Number(step)] : isObject(at) ? at[step] : undefined),
    property.unrendered,
  );
  const pick = (from: JsonValue | undefined): JsonObject =>
    isObject(from) ? Object.fromEntries(Object.entries(from).filter(([key]) => direct.includes(key))) : {};
  const own: ConfigLayer = {
    values: dropNull(pick(item)),
    unrendered: pick(unrendered),
    at: (key) => property.at([...path, key], 'key'),
  };
  const { config } = item;
  if (!isObject(config)) return [own];
  const mistakes = checkConfig(kind, config, (at, part) => property.at([...path, 'config', ...at], part));
  const isRoot = property.owner === workspace.rootPackage;
  workspace.collector.add(isRoot ? mistakes : mistakes.filter(({ severity }) => severity === 'error'));
  const raw = isObject(unrendered) ? unrendered.config : undefined;
  return [
    own,
    {
      values: config,
      unrendered: isObject(raw) ? raw : {},
      at: (key) => property.at([...path, 'config', key], 'key'),
    },
  ];
}

function dropNull(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** `[]` for nothing, one text or a list of texts as a list. */
export function textList(value: JsonValue | undefined): string[] {
  return asList(value).map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
}

export function textOrNull(value: JsonValue | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function objectOrEmpty(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The keys every node's configuration has, and all that were given beside them. */
export function commonConfig(values: JsonObject): JsonObject & {
  enabled: boolean;
  tags: string[];
  meta: Record<string, JsonValue>;
} {
  return {
    ...values,
    enabled: values.enabled !== false,
    tags: textList(values.tags),
    meta: objectOrEmpty(values.meta),
  };
}

/** The beginning of a file. */
export function fileStart(file: string): Location {
  return { file, line: 1, column: 1 };
}
