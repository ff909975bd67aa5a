import path from 'node:path';
import type { JsonValue } from '../changelog/change.ts';
import { asList } from './config.ts';
import { isFile, readText } from './files.ts';
import { isObject } from './project-file.ts';
import type { JsonObject } from './project-file.ts';
import { renderTree } from './render-tree.ts';
import { selectorsSchema } from './schemas/selectors-schema.ts';
import { validate } from './validate.ts';
import { renderYamlText } from './workspace.ts';
import type { Workspace } from './workspace.ts';
import { parseYaml } from './yaml.ts';
import type { YamlFile } from './yaml.ts';

/** selectors.yml: rendered and validated; selectors/ gives it its meaning. */
export interface SelectorsFile {
  readonly file: string;
  /** The list under `selectors:`. */
  readonly selectors: readonly JsonObject[];
  readonly definitions: Record<string, JsonValue>;
  /** Places in the file; paths begin at the file's top. */
  readonly at: YamlFile['at'];
}

/** Reads selectors.yml of the root project; null when it has none. Mistakes go to the collector. */
export function readSelectors(workspace: Workspace): SelectorsFile | null {
  const file = ['selectors.yml', 'selectors.yaml'].find((name) => isFile(path.join(workspace.root, name)));
  if (file === undefined) return null;
  const text = readText(path.join(workspace.root, file));
  workspace.files.set(file, text);
  const { yaml, errors } = parseYaml(file, text);
  workspace.collector.add(errors);
  if (errors.length > 0) return null;
  const { rootPackage } = workspace;
  const value = renderTree(
    yaml.value,
    (template, at) =>
      workspace.collector.attempt(() =>
        renderYamlText(workspace, rootPackage, file, template, yaml.at(at)),
      ) ?? template,
  );
  const mistakes = validate(selectorsSchema, value, yaml.at);
  workspace.collector.add(mistakes);
  if (!isObject(value) || mistakes.some(({ severity }) => severity === 'error')) return null;
  const selectors = asList(value.selectors).filter(isObject);
  return {
    file,
    selectors,
    definitions: Object.fromEntries(selectors.map((each) => [String(each.name as string), each])),
    at: (at, part) => yaml.at(at, part),
  };
}
