import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { nearest } from '../diagnostics/suggest.ts';
import { isObject } from './project-file.ts';
import type { JsonObject } from './project-file.ts';
import { configSchemas } from './schemas/config-schemas.ts';
import type { ConfigKind } from './schemas/config-schemas.ts';
import { validate } from './validate.ts';
import type { Locate } from './validate.ts';

/** Configuration from one place: a level of the project file, a `config:` block, a `config()` call. */
export interface ConfigLayer {
  readonly values: JsonObject;
  /** The same before Jinja. */
  readonly unrendered: JsonObject;
  readonly at: (key: string) => Location;
}

/** Layers merged as dbt does, and where the winning value of each key stands. */
export interface MergedConfig {
  readonly values: JsonObject;
  readonly unrendered: JsonObject;
  readonly origins: ReadonlyMap<string, Location>;
  /** What was merged. */
  readonly layers: readonly ConfigLayer[];
}

const appended = new Set(['tags', 'pre-hook', 'post-hook', 'packages']);
const updated = new Set(['meta', 'quoting', 'column_types', 'docs', 'contract', 'persist_docs']);

/** `+tags` → `tags`, `pre_hook` → `pre-hook`. */
export function configKey(written: string): string {
  const key = written.replace(/^\+/, '').trim();
  return key === 'pre_hook' || key === 'post_hook' ? key.replace('_', '-') : key;
}

/**
 * Merges layers, the most general first. dbt's rules: `tags` and hooks append, `meta` and other mappings update by key,
 * `grants` update (append under a key that begins with `+`), every other key is replaced by the more specific layer.
 */
export function mergeConfig(layers: readonly ConfigLayer[]): MergedConfig {
  const values: JsonObject = {};
  const unrendered: JsonObject = {};
  const origins = new Map<string, Location>();
  for (const layer of layers) {
    for (const [written, value] of Object.entries(layer.values)) {
      const key = configKey(written);
      values[key] = mergeValue(key, values[key], value);
      origins.set(key, layer.at(written));
    }
    for (const [written, value] of Object.entries(layer.unrendered)) {
      const key = configKey(written);
      unrendered[key] = mergeValue(key, unrendered[key], value);
    }
  }
  return { values, unrendered, origins, layers };
}

function mergeValue(key: string, before: JsonValue | undefined, value: JsonValue): JsonValue {
  if (appended.has(key)) return [...new Set([...asList(before), ...asList(value)])];
  if (updated.has(key) && isObject(before) && isObject(value)) return { ...before, ...value };
  if (key === 'grants' && isObject(value)) {
    const merged: JsonObject = isObject(before) ? { ...before } : {};
    for (const [grant, to] of Object.entries(value)) {
      const name = grant.replace(/^\+/, '');
      merged[name] = grant.startsWith('+') ? [...asList(merged[name]), ...asList(to)] : asList(to);
    }
    return merged;
  }
  return value;
}

/** A scalar `tags: x` means `[x]`; nothing means no items. */
export function asList(value: JsonValue | undefined): JsonValue[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** One per-folder tree of the project file (`models:`, `seeds:` ...). Pure data; `at` takes paths inside the tree. */
export class FolderConfig {
  readonly kind: ConfigKind;
  readonly #tree: JsonObject;
  readonly #unrendered: JsonObject;
  readonly #at: Locate;
  readonly #used = new Set<string>();

  constructor(kind: ConfigKind, tree: JsonObject, unrendered: JsonObject, at: Locate) {
    this.kind = kind;
    this.#tree = tree;
    this.#unrendered = unrendered;
    this.#at = at;
  }

  /** The layers that apply to a node, general to specific: the root, then one per leading part of its fqn. */
  layers(fqn: readonly string[]): ConfigLayer[] {
    const layers: ConfigLayer[] = [];
    let tree: JsonValue | undefined = this.#tree;
    let unrendered: JsonValue | undefined = this.#unrendered;
    for (let depth = 0; depth <= fqn.length && isObject(tree); depth++) {
      const path = fqn.slice(0, depth);
      this.#used.add(path.join('\0'));
      layers.push({
        values: ownEntries(tree),
        unrendered: isObject(unrendered) ? ownEntries(unrendered) : {},
        at: (key) => this.#at([...path, key], 'key'),
      });
      const next = fqn[depth];
      tree = next === undefined ? undefined : folder(tree, next);
      unrendered = next !== undefined && isObject(unrendered) ? folder(unrendered, next) : undefined;
    }
    return layers;
  }

  /** Wrong types and unknown keys, wherever in the tree. */
  check(): Diagnostic[] {
    const found: Diagnostic[] = [];
    this.#visit(this.#tree, [], (entries, path) => {
      // `meta:` without a plus is read as a folder; `unused` says so, its keys are not judged.
      if (configSchemas[this.kind].properties?.[path.at(-1) ?? ''] !== undefined) return;
      found.push(...checkConfig(this.kind, entries, (inner, part) => this.#at([...path, ...inner], part)));
    });
    return found;
  }

  /** Folders no node was found in: a misspelt folder would silently configure nothing. Call it after all `layers()`. */
  unused(fqns: readonly (readonly string[])[]): Diagnostic[] {
    const found: Diagnostic[] = [];
    this.#visit(this.#tree, [], (_, path) => {
      if (path.length === 0 || this.#used.has(path.join('\0'))) return;
      // The parent was reported already.
      if (path.length > 1 && !this.#used.has(path.slice(0, -1).join('\0'))) return;
      const last = path.at(-1)!;
      const parent = path.slice(0, -1);
      const siblings = fqns
        .filter((fqn) => parent.every((part, i) => fqn[i] === part))
        .map((fqn) => fqn[parent.length]!);
      const isConfig = configSchemas[this.kind].properties?.[last] !== undefined;
      const near = nearest(last, siblings, 1)[0];
      found.push({
        severity: 'warning',
        code: 'SEG114',
        message: `configuration for "${path.join('.')}" applies to no ${this.kind.replace('_', ' ')}`,
        at: this.#at(path, 'key'),
        hint: isConfig
          ? `A mapping needs a plus to be a configuration: "+${last}".`
          : near === undefined
            ? 'No folder or node has this name.'
            : `Did you mean "${near}"?`,
      });
    });
    return found;
  }

  #visit(tree: JsonObject, path: string[], visit: (entries: JsonObject, path: string[]) => void): void {
    visit(ownEntries(tree), path);
    for (const [key, value] of Object.entries(tree)) {
      if (!key.startsWith('+') && isObject(value)) this.#visit(value, [...path, key], visit);
    }
  }
}

/** The configuration entries of one level: keys with `+`, and keys without whose value is no mapping. */
function ownEntries(tree: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(tree).filter(([key, value]) => key.startsWith('+') || !isObject(value)),
  );
}

function folder(tree: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(tree, name) ? tree[name] : undefined;
}

/** Checks configuration entries as written (`+tags`); paths given to `locate` begin with the written key. */
export function checkConfig(kind: ConfigKind, entries: JsonObject, locate: Locate): Diagnostic[] {
  const written = new Map(Object.keys(entries).map((key) => [configKey(key), key]));
  const values = Object.fromEntries(Object.entries(entries).map(([key, value]) => [configKey(key), value]));
  return validate(configSchemas[kind], values, ([key, ...inner], part) => {
    const first = key === undefined ? [] : [written.get(String(key)) ?? key];
    return locate([...first, ...inner], part);
  }).map((found) =>
    found.code === 'SEG113'
      ? { ...found, message: found.message.replace('unknown key', 'unknown configuration key') }
      : found,
  );
}
