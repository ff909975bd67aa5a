import type { JsonValue } from '../../changelog/change.ts';
import { isObject } from '../project-file.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import { renderTree } from '../render-tree.ts';
import { renderYamlText } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import type { YamlPath } from '../yaml.ts';
import { testConfigKeys } from './test-config.ts';

/** One entry of `data_tests:`, taken apart. */
export interface TestEntry {
  readonly test: string;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly kwargs: JsonObject;
  readonly config: JsonObject;
  readonly unrendered: JsonObject;
  readonly description: JsonValue | undefined;
  /** Where the entry's arguments stand, and each of its configuration keys. */
  readonly argumentPath: (key: string) => YamlPath;
  readonly configPath: (key: string) => YamlPath;
}

/** Takes an entry apart: `unique`, `{unique: {...}}`, or `{test_name: unique, ...}`. */
export function readTestEntry(
  workspace: Workspace,
  property: Property,
  written: JsonValue,
  path: YamlPath,
): TestEntry | undefined {
  let name: string;
  let body: JsonValue = null;
  let bodyPath = path;
  if (typeof written === 'string') name = written;
  else if (isObject(written) && typeof written.test_name === 'string') {
    name = written.test_name;
    body = Object.fromEntries(Object.entries(written).filter(([key]) => key !== 'test_name'));
  } else if (isObject(written) && Object.keys(written).length === 1) {
    name = Object.keys(written)[0]!;
    body = written[name]!;
    bodyPath = [...path, name];
  } else {
    workspace.collector.error('SEG126', 'a test must be a name, or one name with its arguments below it', {
      at: property.at(path),
      hint: 'Indent the arguments deeper than the name of the test.',
    });
    return undefined;
  }
  if (body !== null && !isObject(body)) {
    workspace.collector.error('SEG126', `the arguments of test "${name}" must be a mapping`, {
      at: property.at(bodyPath),
      hint: 'Write every argument as "name: value".',
    });
    return undefined;
  }
  const given: JsonObject = body ?? {};
  const nested = isObject(given.arguments) ? given.arguments : {};
  const kwargs: JsonObject = {};
  const unrendered: JsonObject = isObject(given.config) ? { ...given.config } : {};
  for (const [key, value] of Object.entries(given)) {
    if (
      key === 'name' ||
      key === 'config' ||
      key === 'description' ||
      (key === 'arguments' && isObject(value))
    )
      continue;
    if (!testConfigKeys.includes(key)) kwargs[key] = value;
    else if (key in unrendered) {
      workspace.collector.error('SEG126', `"${key}" stands both in and beside "config" of test "${name}"`, {
        at: property.at([...bodyPath, key], 'key'),
        hint: 'Keep the one under "config".',
      });
    } else unrendered[key] = value;
  }
  Object.assign(kwargs, nested);
  const configPath = (key: string): YamlPath =>
    isObject(given.config) && key in given.config ? [...bodyPath, 'config', key] : [...bodyPath, key];
  const config = renderTree(
    unrendered,
    (text, [key, ...inner]) =>
      workspace.collector.attempt(() => {
        const at = property.at([...configPath(String(key)), ...inner]);
        return renderYamlText(workspace, property.owner, property.file, text, at);
      }) ?? text,
  ) as JsonObject;
  const [namespace, test] = name.includes('.') ? name.split('.', 2) : [null, name];
  return {
    test: test,
    namespace: namespace ?? null,
    name: typeof given.name === 'string' ? given.name : null,
    kwargs,
    config,
    unrendered,
    description: given.description,
    argumentPath: (key) => (key in nested ? [...bodyPath, 'arguments', key] : [...bodyPath, key]),
    configPath,
  };
}
