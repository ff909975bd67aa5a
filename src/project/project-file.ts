import path from 'node:path';
import type { JsonValue } from '../changelog/change.ts';
import { segError, SegError } from '../diagnostics/seg-error.ts';
import { isFile, readText } from './files.ts';
import type { Locate } from './validate.ts';
import { parseYaml } from './yaml.ts';

export type JsonObject = { [key: string]: JsonValue };

/** The project file before Jinja and validation. */
export interface RawProjectFile {
  /** The folder it stands in, absolute. */
  readonly root: string;
  /** `dbt_project.yml` or `package.json`. */
  readonly file: string;
  readonly text: string;
  readonly values: JsonObject;
  readonly at: Locate;
}

/**
 * Finds the project file in `start` or the nearest folder above it: `dbt_project.yml`, or a `package.json` with the key
 * `seg` (which holds the same keys). Throws SEG104 when there is none, SEG101.. when it is no valid YAML.
 */
export function findProjectFile(start: string): RawProjectFile {
  for (let folder = path.resolve(start); ; folder = path.dirname(folder)) {
    const found = readProjectFile(folder);
    if (found !== undefined) return found;
    if (path.dirname(folder) === folder) break;
  }
  throw segError('SEG104', `no project in ${path.resolve(start)} or the folders above it`, {
    hint: 'A project has a dbt_project.yml, or the key "seg" in package.json. `seg init` makes a new one.',
  });
}

/** The project file of one folder, if it has one. */
export function readProjectFile(root: string): RawProjectFile | undefined {
  for (const name of ['dbt_project.yml', 'dbt_project.yaml']) {
    if (isFile(path.join(root, name))) return parseProjectFile(root, name, []);
  }
  return isFile(path.join(root, 'package.json'))
    ? parseProjectFile(root, 'package.json', ['seg'])
    : undefined;
}

function parseProjectFile(root: string, file: string, within: string[]): RawProjectFile | undefined {
  const text = readText(path.join(root, file));
  // A package.json that is nobody's project must not be judged.
  if (within.length > 0 && !text.includes('"seg"')) return undefined;
  const { yaml, errors } = parseYaml(file, text);
  if (errors.length > 0) throw new SegError(errors);
  const top = yaml.value;
  if (!isObject(top)) {
    throw segError('SEG110', `the project file is no mapping`, {
      at: yaml.at([]),
      hint: 'Begin with "name: ...".',
    });
  }
  let values: JsonValue = top;
  if (within.length > 0) {
    if (top.seg === undefined) return undefined;
    values = top.seg;
    if (!isObject(values)) {
      throw segError('SEG110', 'wrong type for "seg": expected a mapping', {
        at: yaml.at(['seg']),
        hint: 'It holds the keys of a dbt_project.yml, at least "name" and "profile".',
      });
    }
    if (values.name === undefined && typeof top.name === 'string') {
      const own = top.name.replace(/^@[^/]*\//, '').replace(/\W+/g, '_');
      values = { name: /^\d/.test(own) ? `_${own}` : own, ...values };
    }
  }
  return { root, file, text, values, at: (place, part) => yaml.at([...within, ...place], part) };
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
