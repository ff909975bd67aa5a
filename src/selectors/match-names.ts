/** The methods that look only at what a node is called and where it stands. After dbt's graph/selector_methods.py. */
import { fnmatch, globMatchesPath } from './glob.ts';
import { isRecord, type Selectable } from './selectable.ts';

/** `fqn:`: the name alone, or a dotted prefix with or without the project's name; wildcards match the rest. */
export function matchesFqn(node: Selectable, value: string): boolean {
  if (['source', 'exposure', 'metric', 'semantic_model', 'saved_query'].includes(node.resource_type))
    return false;
  return fqnStartsWith(node, node.fqn, value) || fqnStartsWith(node, node.fqn.slice(1), value);
}

function fqnStartsWith(node: Selectable, fqn: readonly string[], value: string): boolean {
  if (fqn.length === 0) return false;
  if (fqn.at(-1) === value || (node.version !== null && matchesVersioned(fqn, value))) return true;
  const flat = fqn.flatMap((part) => part.split('.'));
  const wanted = value.split('.');
  if (flat.length < wanted.length) return false;
  for (const [index, part] of wanted.entries()) {
    if (/[*?[\]]/.test(part)) return fnmatch(flat.slice(index).join('.'), wanted.slice(index).join('.'));
    if (flat[index] !== part) return false;
  }
  return true;
}

/** A versioned model's fqn ends in `[name, 'v2']`; `name`, `name.v2` and `name_v2` select it. */
function matchesVersioned(fqn: readonly string[], value: string): boolean {
  const [name, version] = fqn.slice(-2);
  return value === name || value === `${name}.${version}` || value === `${name}_${version}`;
}

/** `path:`: a glob relative to the project's root, of the node's file, its property file or a folder above it. */
export function matchesPath(node: Selectable, value: string): boolean {
  const pattern = value
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '')
    .replace(/\/+$/, '');
  const patchFile = node.patch_path?.split('://').at(-1);
  const folders = node.original_file_path
    .split('/')
    .map((_, index, parts) => parts.slice(0, index).join('/'));
  return [node.original_file_path, ...(patchFile ? [patchFile] : []), ...folders.slice(1)].some((path) =>
    globMatchesPath(path, pattern),
  );
}

/** `file:`: the file's name with or without its ending. */
export function matchesFile(node: Selectable, value: string): boolean {
  const file = node.original_file_path.split('/').at(-1)!;
  return fnmatch(file, value) || fnmatch(file.replace(/\.[^.]*$/, ''), value);
}

/** `source:`: `src`, `src.table` or `package.src.table`. */
export function matchesSource(node: Selectable, value: string): boolean {
  if (node.resource_type !== 'source') return false;
  const parts = value.split('.');
  const sourceName = node.node['source_name'];
  const own = [node.package_name, typeof sourceName === 'string' ? sourceName : '', node.name];
  if (parts.length > 3) return false;
  const from = parts.length === 3 ? 0 : 1;
  return parts.every((part, index) => fnmatch(own[from + index]!, part));
}

/** `exposure:`, `unit_test:`, `sink:` and the like: `name` or `package.name`. */
export function matchesNamed(node: Selectable, type: string, value: string): boolean {
  if (node.resource_type !== type) return false;
  const parts = value.split('.');
  if (parts.length === 1) return fnmatch(node.name, value);
  return parts.length === 2 && fnmatch(node.package_name, parts[0]!) && fnmatch(node.name, parts[1]!);
}

/** `test_type:`: `generic` (old name `schema`), `singular`, `data` (both of these), `unit`, and seg's `scenario`. */
export function matchesTestType(node: Selectable, value: string): boolean {
  const generic = node.resource_type === 'test' && isRecord(node.node['test_metadata']);
  const singular = node.resource_type === 'test' && !generic;
  switch (value) {
    case 'generic':
    case 'schema':
      return generic;
    case 'singular':
      return singular;
    case 'data':
      return generic || singular;
    case 'unit':
      return node.resource_type === 'unit_test';
    case 'scenario':
      return node.resource_type === 'scenario';
    default:
      return false;
  }
}

/** `test_name:`: the generic test behind a test, `unique` or `not_null`. */
export function matchesTestName(node: Selectable, value: string): boolean {
  const metadata = node.node['test_metadata'];
  return isRecord(metadata) && typeof metadata['name'] === 'string' && fnmatch(metadata['name'], value);
}

/** `version:latest|prerelease|old|none`. */
export function matchesVersion(node: Selectable, value: string): boolean {
  if (node.resource_type !== 'model') return false;
  const { version, latest_version: latest } = node;
  if (value === 'none') return version === null;
  if (version === null || latest === null) return false;
  const order = compareVersions(version, latest);
  if (value === 'latest') return order === 0;
  return value === 'prerelease' ? order > 0 : value === 'old' && order < 0;
}

function compareVersions(a: string | number, b: string | number): number {
  const [left, right] = [Number(a), Number(b)];
  if (!Number.isNaN(left) && !Number.isNaN(right)) return left - right;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

/** `config.a.b:`: a scalar by its text, booleans by the words true and false, a list by its members. */
export function matchesConfig(node: Selectable, path: readonly string[], value: string): boolean {
  // What the user wrote counts too: `materialized: incremental` is kept by seg as materialized_view.
  return [node.config, node.unrendered_config].some((config) => {
    const found = path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), config);
    return matchesConfigValue(found, value, path.at(-1) === 'severity');
  });
}

function matchesConfigValue(found: unknown, value: string, ignoreCase: boolean): boolean {
  if (Array.isArray(found)) return found.some((item) => matchesConfigValue(item, value, ignoreCase));
  if (isRecord(found)) return Object.keys(found).includes(value);
  if (typeof found === 'boolean') return String(found) === value.toLowerCase();
  if (typeof found === 'number') return String(found) === value;
  if (typeof found !== 'string') return false;
  return ignoreCase ? fnmatch(found.toLowerCase(), value.toLowerCase()) : fnmatch(found, value);
}
