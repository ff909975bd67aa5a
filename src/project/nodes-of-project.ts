/** Reads every file of the packages and makes nodes (or drafts of nodes) of them; references are resolved afterwards. */
import path from 'node:path';
import { didYouMean } from '../diagnostics/suggest.ts';
import { draftGenericTests } from './build/generic-tests.ts';
import type { TestSubject } from './build/generic-tests.ts';
import { fileStart } from './build/layers.ts';
import { draftModel } from './build/model.ts';
import { buildScenario } from './build/scenario.ts';
import { buildSeed, seedName } from './build/seed.ts';
import { buildSink } from './build/sink.ts';
import { draftSingularTest } from './build/singular-test.ts';
import { buildSources } from './build/source.ts';
import type { BuiltSource } from './build/source.ts';
import type { SqlDraft } from './build/sql-draft.ts';
import { buildUnitTest } from './build/unit-test.ts';
import type { Fixture } from './build/unit-test.ts';
import { findFiles, readIgnoreRules } from './files.ts';
import type { FoundFile } from './files.ts';
import { describeMacros, isGenericTestFile } from './macros.ts';
import type {
  GraphNode,
  ModelNode,
  ScenarioNode,
  SeedNode,
  SinkNode,
  SourceNode,
  TestNode,
  UnitTestNode,
} from './nodes.ts';
import type { Package } from './package.ts';
import { readProperties } from './properties.ts';
import type { Property, PropertyKind } from './properties.ts';
import type { Workspace } from './workspace.ts';
import { readPackageFile } from './workspace.ts';

export interface ProjectNodes {
  readonly drafts: Map<string, SqlDraft>;
  readonly seeds: Map<string, SeedNode>;
  readonly sources: Map<string, SourceNode>;
  readonly unitTests: Map<string, UnitTestNode>;
  readonly scenarios: Map<string, ScenarioNode>;
  readonly sinks: Map<string, SinkNode>;
  readonly exposures: Property[];
  readonly groups: Property[];
}

/** Property files of all packages; `throwIfErrors` after it, since nodes made of broken YAML would mislead. */
export function readAllProperties(workspace: Workspace): Property[] {
  return [...workspace.packages.values()].flatMap((owner) =>
    findFiles(owner.root, owner.paths.properties, readIgnoreRules(owner.root))
      .filter(({ file }) => /\.ya?ml$/i.test(file))
      .flatMap((found) => readProperties(workspace, owner, found)),
  );
}

/** `{% docs name %}` blocks of all packages' .md files, under `name` and `package.name`. */
export function readDocs(workspace: Workspace): void {
  for (const owner of workspace.packages.values()) {
    const found = findFiles(owner.root, owner.paths.docs, readIgnoreRules(owner.root));
    for (const each of found.filter(({ file }) => /\.md$/i.test(file))) {
      const { file, text } = readPackageFile(workspace, owner, each);
      for (const [, name, body] of text.matchAll(
        /\{%-?\s*docs\s+(\w+)\s*-?%\}([\s\S]*?)\{%-?\s*enddocs\s*-?%\}/g,
      )) {
        const block = { text: body!.trim(), packageName: owner.name, file };
        workspace.docs.set(`${owner.name}.${name!}`, block);
        if (!workspace.docs.has(name!)) workspace.docs.set(name!, block);
      }
    }
  }
}

export function buildNodes(workspace: Workspace, properties: readonly Property[]): ProjectNodes {
  const nodes: ProjectNodes = {
    drafts: new Map(),
    seeds: new Map(),
    sources: new Map(),
    unitTests: new Map(),
    scenarios: new Map(),
    sinks: new Map(),
    exposures: [],
    groups: [],
  };
  const byKind = (kind: PropertyKind, owner: Package): Property[] =>
    properties.filter((property) => property.kind === kind && property.owner === owner);
  for (const owner of workspace.packages.values()) {
    const rules = readIgnoreRules(owner.root);
    const files = (folders: readonly string[], test: (found: FoundFile) => boolean): FoundFile[] =>
      findFiles(owner.root, folders, rules).filter(test);
    const models = patches(workspace, byKind('models', owner));
    const seeds = patches(workspace, byKind('seeds', owner));
    const tests = patches(workspace, byKind('data_tests', owner));

    for (const found of files(owner.paths.models, ({ file }) => file.endsWith('.sql'))) {
      const name = path.posix.basename(found.path, '.sql');
      add(workspace, nodes, draftModel(workspace, owner, found, models.get(name)));
    }
    for (const found of files(owner.paths.seeds, ({ file }) => seedName(file) !== undefined)) {
      const name = seedName(found.path)!;
      const node = buildSeed(workspace, owner, found, name, seeds.get(name));
      if (isNew(workspace, nodes, node)) nodes.seeds.set(node.unique_id, node);
    }
    const testFiles = files(owner.paths.tests, (found) => !isGenericTestFile(found));
    for (const found of testFiles) {
      if (!found.file.endsWith('.sql') || isFixture(found)) continue;
      const name = path.posix.basename(found.path, '.sql');
      add(workspace, nodes, draftSingularTest(workspace, owner, found, tests.get(name)));
    }
    const foreign = [
      ...files(owner.paths.models, ({ file }) => file.endsWith('.py')),
      ...files(owner.paths.snapshots, ({ file }) => file.endsWith('.sql')),
    ];
    for (const { file } of owner === workspace.rootPackage ? foreign : []) {
      const kind = file.endsWith('.py') ? 'Python model' : 'snapshot';
      workspace.collector.warn('SEG129', `${file} is left out: seg has no ${kind}s`, {
        at: fileStart(file),
        hint: 'Write it as a model in SQL, or name it in .segignore.',
      });
    }
    const built = byKind('sources', owner).flatMap((property) => buildSources(workspace, property));
    for (const { node } of built) if (isNew(workspace, nodes, node)) nodes.sources.set(node.unique_id, node);

    warnUnused(
      workspace,
      models,
      'model',
      [...nodes.drafts.values()].map(({ node }) => node),
      owner,
    );
    warnUnused(workspace, seeds, 'seed', [...nodes.seeds.values()], owner);
    warnUnused(
      workspace,
      tests,
      'test',
      [...nodes.drafts.values()].map(({ node }) => node),
      owner,
    );
    describeMacros(workspace, byKind('macros', owner));

    for (const subject of subjects(owner, models, seeds, built, nodes)) {
      for (const draft of draftGenericTests(workspace, subject)) add(workspace, nodes, draft);
    }
    const fixtures = readFixtures(workspace, owner, testFiles);
    for (const property of byKind('unit_tests', owner)) {
      const node = buildUnitTest(workspace, property, fixtures);
      if (isNew(workspace, nodes, node)) nodes.unitTests.set(node.unique_id, node);
    }
    for (const property of byKind('scenarios', owner)) {
      const node = buildScenario(workspace, property);
      if (isNew(workspace, nodes, node)) nodes.scenarios.set(node.unique_id, node);
    }
    for (const property of byKind('sinks', owner)) {
      const node = buildSink(workspace, property);
      if (isNew(workspace, nodes, node)) nodes.sinks.set(node.unique_id, node);
    }
    nodes.exposures.push(...byKind('exposures', owner));
    nodes.groups.push(...byKind('groups', owner));
  }
  return nodes;
}

function add(
  workspace: Workspace,
  nodes: ProjectNodes,
  draft: SqlDraft<ModelNode | TestNode> | undefined,
): void {
  if (draft !== undefined && isNew(workspace, nodes, draft.node))
    nodes.drafts.set(draft.node.unique_id, draft);
}

/** SEG117 names both places when two nodes have one id. */
function isNew(workspace: Workspace, nodes: ProjectNodes, node: GraphNode): boolean {
  const id = node.unique_id;
  const other: GraphNode | undefined =
    nodes.drafts.get(id)?.node ??
    nodes.seeds.get(id) ??
    nodes.sources.get(id) ??
    nodes.unitTests.get(id) ??
    nodes.scenarios.get(id) ??
    nodes.sinks.get(id);
  // A model and a seed of one name would be one relation and one name for ref().
  const twin =
    node.resource_type === 'seed' ? nodes.drafts.get(id.replace(/^seed/, 'model'))?.node : undefined;
  const first = other ?? twin;
  if (first === undefined) return true;
  const kind = node.resource_type.replace('_', ' ');
  const name = node.resource_type === 'source' ? `${node.source_name}.${node.name}` : node.name;
  workspace.collector.error('SEG117', `duplicate ${kind} "${name}"`, {
    at: node.at,
    notes: [
      {
        message: `The ${first.resource_type.replace('_', ' ')} "${first.name}" is also defined here.`,
        at: first.at,
      },
    ],
    hint:
      node.resource_type === 'test'
        ? 'Remove one of them, or give it a "name:" of its own.'
        : 'Names are unique in a project: rename one of them.',
  });
  return false;
}

/** Property items by the name of what they describe; SEG118 when two describe the same. */
function patches(workspace: Workspace, properties: readonly Property[]): Map<string, Property> {
  const found = new Map<string, Property>();
  for (const property of properties) {
    const first = found.get(property.name);
    if (first === undefined) {
      found.set(property.name, property);
      continue;
    }
    workspace.collector.error('SEG118', `properties of "${property.name}" stand twice`, {
      at: property.at(['name']),
      notes: [{ message: 'First here.', at: first.at(['name']) }],
      hint: 'Put them together.',
    });
  }
  return found;
}

/** A description of something that is not there is a warning, as in dbt: the model may be on another branch. */
function warnUnused(
  workspace: Workspace,
  found: ReadonlyMap<string, Property>,
  kind: 'model' | 'seed' | 'test',
  nodes: readonly GraphNode[],
  owner: Package,
): void {
  if (owner !== workspace.rootPackage) return;
  const names = nodes
    .filter((node) => node.resource_type === kind && node.package_name === owner.name)
    .map((node) => node.name);
  // A model whose template could not be read is no unknown model.
  const failed = new Set(
    workspace.collector.errors.map(({ at }) => path.posix.basename(at?.file ?? '', '.sql')),
  );
  for (const [name, property] of found) {
    if (names.includes(name) || failed.has(name)) continue;
    workspace.collector.warn('SEG119', `properties for ${kind} "${name}", which does not exist`, {
      at: property.at(['name']),
      hint: didYouMean(name, names) ?? `Remove them, or write the ${kind}.`,
    });
  }
}

function subjects(
  owner: Package,
  models: ReadonlyMap<string, Property>,
  seeds: ReadonlyMap<string, Property>,
  sources: readonly BuiltSource[],
  nodes: ProjectNodes,
): TestSubject[] {
  const found: TestSubject[] = [];
  const relations = [
    ...[...models].map(([name, property]) => ({ name, property, id: `model.${owner.name}.${name}` })),
    ...[...seeds].map(([name, property]) => ({ name, property, id: `seed.${owner.name}.${name}` })),
  ];
  for (const { name, property, id } of relations) {
    const node = nodes.drafts.get(id)?.node ?? nodes.seeds.get(id);
    // Tests of what is not there, or is disabled, are left out as in dbt.
    if (node === undefined || !node.config.enabled) continue;
    found.push({ property, item: property.values, path: [], unique_id: id, name, source: null });
  }
  for (const { node, property, table, path: at } of sources) {
    if (!node.config.enabled) continue;
    found.push({
      property,
      item: table,
      path: at,
      unique_id: node.unique_id,
      name: node.name,
      source: { source: node.source_name, table: node.name },
    });
  }
  return found;
}

function isFixture(found: FoundFile): boolean {
  return found.path.startsWith('fixtures/');
}

function readFixtures(
  workspace: Workspace,
  owner: Package,
  files: readonly FoundFile[],
): Map<string, Fixture> {
  const fixtures = new Map<string, Fixture>();
  for (const found of files.filter(isFixture)) {
    const ending = path.posix.extname(found.file);
    if (ending !== '.csv' && ending !== '.sql') continue;
    const { text } = readPackageFile(workspace, owner, found);
    fixtures.set(path.posix.basename(found.file, ending), {
      text,
      format: ending === '.csv' ? 'csv' : 'sql',
    });
  }
  return fixtures;
}
