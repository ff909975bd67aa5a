import path from 'node:path';
import { quoteRelation } from '../../sql/quote.ts';
import type { FoundFile } from '../files.ts';
import type { TestNode } from '../nodes.ts';
import type { Package } from '../package.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import { RelationValue } from '../relation-value.ts';
import { readPackageFile } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import { describe } from './descriptions.ts';
import { fileStart, projectLayers, propertyLayers } from './layers.ts';
import { checkInFileConfig, folders, patchPath, sha256 } from './model.ts';
import { relationNames } from './naming.ts';
import { renderTemplate } from './sql-draft.ts';
import type { RefCall, SourceCall, SqlDraft, Template } from './sql-draft.ts';
import { testConfig } from './test-config.ts';

/** A test that is a query of its own (tests/*.sql): every row it gives is a failure. */
export function draftSingularTest(
  workspace: Workspace,
  owner: Package,
  found: FoundFile,
  property: Property | undefined,
): SqlDraft<TestNode> | undefined {
  const { file, text } = readPackageFile(workspace, owner, found);
  const name = path.posix.basename(found.path, '.sql');
  const fqn = [owner.name, ...folders(found.path), name];
  const at = fileStart(file);
  const layers = [
    ...projectLayers(workspace, owner, 'test', fqn),
    ...(property === undefined ? [] : propertyLayers(workspace, property, 'test', ['meta'])),
  ];
  const unique_id = `test.${owner.name}.${name}`;
  const dict: JsonObject = {
    name,
    resource_type: 'test',
    unique_id,
    package_name: owner.name,
    fqn,
    path: found.path,
  };
  const template: Template = { owner, file, layers, text, user: `test "${name}"`, node: () => dict };
  const refs: RefCall[] = [];
  const sourceCalls: SourceCall[] = [];
  const self = new RelationValue({
    database: workspace.target.database,
    schema: workspace.target.schema,
    identifier: name,
  });
  const result = workspace.collector.attempt(() =>
    renderTemplate(workspace, template, {
      execute: false,
      self,
      ref: (call) => {
        refs.push(call);
        return self;
      },
      source: (call) => {
        sourceCalls.push(call);
        return self;
      },
    }),
  );
  if (result === undefined) return undefined;
  checkInFileConfig(workspace, owner, 'test', result.config, layers.length);
  const config = testConfig(result.config.values);
  const names = relationNames(workspace, owner, { name, resource_type: 'test' }, { ...config }, at);
  const node: TestNode = {
    resource_type: 'test',
    unique_id,
    name,
    package_name: owner.name,
    path: found.path,
    original_file_path: found.file,
    fqn,
    description:
      property === undefined
        ? ''
        : describe(workspace, property, property.values.description, ['description']),
    tags: config.tags,
    meta: config.meta,
    config,
    unrendered_config: result.config.unrendered,
    patch_path: patchPath(property),
    checksum: sha256(text),
    depends_on: { nodes: [], macros: result.macros },
    at,
    ...names,
    relation_name: quoteRelation({ schema: names.schema, name: names.alias }),
    columns: {},
    language: 'sql',
    raw_code: text,
    compiled: false,
    compiled_code: null,
    refs: [],
    sources: [],
    test_metadata: null,
    column_name: null,
    attached_node: null,
    file_key_name: null,
  };
  return { node, owner, file, layers, config: result.config, refs, sourceCalls };
}
