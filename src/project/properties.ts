import type { JsonValue } from '../changelog/change.ts';
import type { FoundFile } from './files.ts';
import { asList } from './config.ts';
import type { Package } from './package.ts';
import { isObject } from './project-file.ts';
import type { JsonObject } from './project-file.ts';
import { renderTree } from './render-tree.ts';
import { propertySchema } from './schemas/property-schema.ts';
import { validateRecord } from './validate.ts';
import type { Locate } from './validate.ts';
import { readPackageFile, renderYamlText } from './workspace.ts';
import type { Workspace } from './workspace.ts';
import { parseYaml } from './yaml.ts';
import type { YamlPath } from './yaml.ts';
import { pythonStr } from './python-text.ts';

export const propertyKinds = [
  'models',
  'seeds',
  'sources',
  'macros',
  'data_tests',
  'unit_tests',
  'scenarios',
  'sinks',
  'exposures',
  'groups',
] as const;
export type PropertyKind = (typeof propertyKinds)[number];

/** One item of a property file: a model's description, a source, a unit test ... */
export interface Property {
  readonly kind: PropertyKind;
  readonly name: string;
  /** Rendered, except what is rendered later (test arguments, descriptions, unit tests, scenarios). */
  readonly values: JsonObject;
  readonly unrendered: JsonObject;
  readonly owner: Package;
  /** Seen from the root project, for messages. */
  readonly file: string;
  /** Relative to the package's root, and to its resource folder. */
  readonly originalFile: string;
  readonly path: string;
  /** Where a part of the item stands; paths begin at the item. */
  readonly at: Locate;
}

/**
 * Rendered later or never: descriptions (docs blocks), arguments of tests, the rows and SQL of unit tests and
 * scenarios, hooks, what a sink reads, and the settings of sinks and connectors (they may hold secrets, which no artifact may).
 */
function keepsTemplates(path: YamlPath): boolean {
  const [first] = path;
  if (first === 'unit_tests' || first === 'scenarios' || first === 'macros') return true;
  if (first === 'sinks' && ['from', 'config', 'notify'].includes(String(path[2]))) return true;
  const last = path.at(-1);
  if (last === 'connector') {
    const above = path.at(-2) === 'config' ? path.slice(0, -2) : path.slice(0, -1);
    if (first === 'sources' && above.length === 4 && above[2] === 'tables') return true;
    if (first === 'models' && above.length === 2) return true;
  }
  if (last === 'description' || last === 'data_tests' || last === 'tests') return path.length > 1;
  return last === 'pre-hook' || last === 'post-hook' || last === 'pre_hook' || last === 'post_hook';
}

/** Reads one property file: parses, renders and validates it. Mistakes go to the workspace's collector. */
export function readProperties(workspace: Workspace, owner: Package, found: FoundFile): Property[] {
  const { collector } = workspace;
  const { file, text } = readPackageFile(workspace, owner, found);
  const { yaml, errors } = parseYaml(file, text);
  collector.add(errors);
  if (errors.length > 0) return [];
  const rendered: JsonValue = renderTree(
    yaml.value,
    (template, path) =>
      collector.attempt(() => renderYamlText(workspace, owner, file, template, yaml.at(path))) ?? template,
    keepsTemplates,
  );
  const mistakes = validateRecord(propertySchema, rendered, yaml.at);
  // Nobody can mend the keys of an installed package.
  collector.add(owner.prefix === '' ? mistakes : mistakes.filter(({ severity }) => severity === 'error'));
  if (!isObject(rendered) || mistakes.some(({ severity }) => severity === 'error')) return [];
  const properties: Property[] = [];
  for (const kind of propertyKinds) {
    for (const [index, values] of asList(rendered[kind]).entries()) {
      if (!isObject(values)) continue;
      const unrendered = asList((yaml.value as JsonObject)[kind])[index];
      properties.push({
        kind,
        name: pythonStr(values.name),
        values,
        unrendered: isObject(unrendered) ? unrendered : {},
        owner,
        file,
        originalFile: found.file,
        path: found.path,
        at: (path, part) => yaml.at([kind, index, ...path], part),
      });
    }
  }
  return properties;
}
