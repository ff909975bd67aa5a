import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import { SegError } from '../../diagnostics/seg-error.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { quoteIdentifier, quoteRelation } from '../../sql/quote.ts';
import { asList, checkConfig, mergeConfig } from '../config.ts';
import { genericTestHash, genericTestName } from '../generic-test-name.ts';
import type { MacroNode, TestNode } from '../nodes.ts';
import { isObject } from '../project-file.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import { RelationValue } from '../relation-value.ts';
import type { Workspace } from '../workspace.ts';
import type { YamlPath } from '../yaml.ts';
import { describe } from './descriptions.ts';
import { readTestEntry } from './generic-test-entry.ts';
import type { TestEntry } from './generic-test-entry.ts';
import { projectLayers, textList } from './layers.ts';
import { folders } from './model.ts';
import { relationNames } from './naming.ts';
import { renderTemplate } from './sql-draft.ts';
import type { SqlDraft, Template, TestArguments } from './sql-draft.ts';
import { testConfig } from './test-config.ts';
import { pythonStr } from '../python-text.ts';

/** What tests in YAML are written on: a model, a seed, a table of a source. */
export interface TestSubject {
  readonly property: Property;
  /** The item and where it stands in its property (`[]`, or `['tables', 0]`). */
  readonly item: JsonObject;
  readonly path: YamlPath;
  readonly unique_id: string;
  /** The subject as the test's name has it, and as `ref()` or `source()` get it. */
  readonly name: string;
  readonly source: { readonly source: string; readonly table: string } | null;
}

/** Drafts of all generic tests of a YAML item and its columns. */
export function draftGenericTests(workspace: Workspace, subject: TestSubject): SqlDraft<TestNode>[] {
  const drafts: SqlDraft<TestNode>[] = [];
  const visit = (item: JsonObject, path: YamlPath, column: JsonObject | null): void => {
    for (const key of ['tests', 'data_tests']) {
      for (const [index, written] of asList(item[key]).entries()) {
        const draft = draftTest(workspace, subject, written, [...path, key, index], column);
        if (draft !== undefined) drafts.push(draft);
      }
    }
  };
  visit(subject.item, subject.path, null);
  for (const [index, column] of asList(subject.item.columns).entries()) {
    if (isObject(column)) visit(column, [...subject.path, 'columns', index], column);
  }
  return drafts;
}

function draftTest(
  workspace: Workspace,
  subject: TestSubject,
  written: JsonValue,
  path: YamlPath,
  column: JsonObject | null,
): SqlDraft<TestNode> | undefined {
  const { property } = subject;
  const { owner } = property;
  const { collector } = workspace;
  const at = property.at(path, 'key');
  const entry = readTestEntry(workspace, property, written, path);
  if (entry === undefined) return undefined;
  const macro = findTestMacro(workspace, owner.name, entry);
  if (macro === undefined) {
    const names = testNames(workspace);
    const wanted = entry.namespace === null ? entry.test : `${entry.namespace}.${entry.test}`;
    collector.error('SEG125', `unknown generic test "${wanted}"`, {
      at,
      hint: didYouMean(wanted, names) ?? `Write it as a macro: {% test ${entry.test}(model, column_name) %}.`,
    });
    return undefined;
  }
  const kwargs: JsonObject = { ...entry.kwargs };
  if (column !== null && kwargs.column_name === undefined) {
    const name = pythonStr(column.name);
    kwargs.column_name = column.quote === true ? quoteIdentifier(name) : name;
  }
  if (!checkArguments(workspace, property, entry, macro, kwargs)) return undefined;

  const target = subject.source === null ? subject.name : `${subject.source.source}_${subject.source.table}`;
  const qualified = entry.namespace === null ? entry.test : `${entry.namespace}_${entry.test}`;
  const synthetic = genericTestName(
    subject.source === null ? qualified : `source_${qualified}`,
    target,
    kwargs,
  );
  const full = entry.name ?? synthetic.full;
  const short = entry.name ?? synthetic.short;
  const call =
    subject.source === null
      ? `ref('${subject.name}')`
      : `source('${subject.source.source}', '${subject.source.table}')`;
  const metadata = {
    name: entry.test,
    namespace: entry.namespace,
    kwargs: { ...kwargs, model: `{{ get_where_subquery(${call}) }}` },
  };
  const unique_id = `test.${owner.name}.${full}.${genericTestHash(full, metadata)}`;
  const fqn = [owner.name, ...folders(property.path), full];

  const configAt = (key: string): Location => property.at(entry.configPath(key), 'key');
  collector.add(
    checkConfig('test', entry.config, ([key, ...inner], part) => {
      return property.at([...entry.configPath(String(key)), ...inner], part);
    }),
  );
  const columnTags = column === null ? [] : [...textList(column.tags)];
  const layers = [
    ...projectLayers(workspace, owner, 'test', fqn),
    { values: columnTags.length > 0 ? { tags: columnTags } : {}, unrendered: {}, at: () => at },
    { values: entry.config, unrendered: entry.unrendered, at: configAt },
  ];
  const merged = mergeConfig(layers);
  const prefix = entry.namespace === null ? '' : `${entry.namespace}.`;
  const raw = `{{ ${prefix}test_${entry.test}(**_dbt_generic_test_kwargs) }}`;
  const file = `${short}.sql`;
  const dict: JsonObject = { name: full, resource_type: 'test', unique_id, package_name: owner.name, fqn };
  const args: TestArguments = {
    values: kwargs,
    subject:
      subject.source === null
        ? { ref: { name: subject.name, package: owner.name, at } }
        : { source: { ...subject.source, at } },
    at: ([key, ...inner], part) => property.at([...entry.argumentPath(String(key)), ...inner], part),
  };
  const template: Template = {
    owner,
    file,
    layers,
    arguments: args,
    text: raw,
    user: `test "${full}"`,
    node: () => dict,
  };
  const config = testConfig(merged.values);
  config.alias ??= short === full ? null : short;
  const draftParts = {
    refs: [] as SqlDraft['refs'][number][],
    sourceCalls: [] as SqlDraft['sourceCalls'][number][],
  };
  const self = new RelationValue({
    database: workspace.target.database,
    schema: workspace.target.schema,
    identifier: short,
  });
  const result = collector.attempt(() =>
    atYaml(file, at, () =>
      renderTemplate(workspace, template, {
        execute: false,
        // The tests seg ships neither configure nor refer to anything by themselves.
        argumentsOnly: !workspace.packages.has(macro.package_name),
        self,
        ref: (ref) => {
          draftParts.refs.push(ref);
          return self;
        },
        source: (source) => {
          draftParts.sourceCalls.push(source);
          return self;
        },
      }),
    ),
  );
  if (result === undefined) return undefined;
  const values = { ...config, alias: config.alias };
  const names = relationNames(workspace, owner, { name: full, resource_type: 'test' }, values, at);
  const node: TestNode = {
    resource_type: 'test',
    unique_id,
    name: full,
    package_name: owner.name,
    path: file,
    original_file_path: property.originalFile,
    fqn,
    description: describe(workspace, property, entry.description, [...path, 'description']),
    tags: config.tags,
    meta: config.meta,
    config,
    unrendered_config: merged.unrendered,
    patch_path: null,
    checksum: { name: 'none', checksum: '' },
    depends_on: { nodes: [], macros: result.macros },
    at,
    ...names,
    relation_name: quoteRelation({ schema: names.schema, name: names.alias }),
    columns: {},
    language: 'sql',
    raw_code: raw,
    compiled: false,
    compiled_code: null,
    refs: [],
    sources: [],
    test_metadata: metadata,
    column_name: typeof kwargs.column_name === 'string' ? kwargs.column_name : null,
    attached_node: subject.source === null ? subject.unique_id : null,
    file_key_name: `${property.kind}.${subject.source === null ? subject.name : subject.source.source}`,
  };
  return { node, owner, file, layers, config: merged, ...draftParts, arguments: args };
}

/** A mistake in the line seg makes for a generic test belongs to the YAML entry: the user never saw the line. */
export function atYaml<T>(virtualFile: string, at: Location, render: () => T): T {
  try {
    return render();
  } catch (error) {
    if (!(error instanceof SegError)) throw error;
    const moved = error.diagnostics.map((found) =>
      found.at?.file === virtualFile || found.at === undefined ? { ...found, at } : found,
    );
    throw new SegError(moved, { cause: error });
  }
}

function findTestMacro(workspace: Workspace, packageName: string, entry: TestEntry): MacroNode | undefined {
  const name = `test_${entry.test}`;
  if (entry.namespace !== null) return workspace.macros.get(`macro.${entry.namespace}.${name}`);
  const packages = [packageName, workspace.rootPackage.name, 'dbt', ...workspace.packages.keys()];
  return packages
    .map((owner) => workspace.macros.get(`macro.${owner}.${name}`))
    .find((macro) => macro !== undefined);
}

function testNames(workspace: Workspace): string[] {
  return [...workspace.macros.values()].flatMap(({ name, package_name }) => {
    if (!name.startsWith('test_')) return [];
    const test = name.slice('test_'.length);
    const bare = package_name === 'dbt' || package_name === workspace.rootPackage.name;
    return [bare ? test : `${package_name}.${test}`];
  });
}

/** An argument the test does not have would otherwise be reported at a line the user did not write. */
function checkArguments(
  workspace: Workspace,
  property: Property,
  entry: TestEntry,
  macro: MacroNode,
  kwargs: JsonObject,
): boolean {
  let fits = true;
  const parameters = macro.arguments.map(({ name }) => name);
  if (/\bkwargs\b/.test(macro.macro_sql)) return true;
  for (const key of Object.keys(kwargs)) {
    if (parameters.includes(key) || (key === 'column_name' && entry.kwargs.column_name === undefined))
      continue;
    fits = false;
    workspace.collector.error('SEG127', `test "${entry.test}" has no argument "${key}"`, {
      at: property.at(entry.argumentPath(key), 'key'),
      hint:
        didYouMean(
          key,
          parameters.filter((name) => name !== 'model'),
        ) ?? `Its arguments: ${parameters.filter((name) => name !== 'model').join(', ') || 'none'}.`,
    });
  }
  return fits;
}
