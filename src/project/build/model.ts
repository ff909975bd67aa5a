import { createHash } from 'node:crypto';
import path from 'node:path';
import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { quoteRelation } from '../../sql/quote.ts';
import { checkConfig } from '../config.ts';
import type { MergedConfig } from '../config.ts';
import type { FoundFile } from '../files.ts';
import type { Materialization, ModelConfig, ModelNode } from '../nodes.ts';
import type { Package } from '../package.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import { RelationValue } from '../relation-value.ts';
import type { ConfigKind } from '../schemas/config-schemas.ts';
import { readPackageFile } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import { readColumns } from './columns.ts';
import { readConnector } from './connector.ts';
import { describe } from './descriptions.ts';
import { commonConfig, fileStart, projectLayers, propertyLayers, textOrNull } from './layers.ts';
import { relationNames } from './naming.ts';
import { renderTemplate } from './sql-draft.ts';
import type { RefCall, SourceCall, SqlDraft, Template } from './sql-draft.ts';

/** Keys of a model's YAML item that are configuration though they stand beside `config:`. */
const directKeys = ['tags', 'meta', 'docs', 'group', 'access'];

/** The folders of a path, as dbt puts them into an fqn. */
export function folders(filePath: string): string[] {
  return filePath.split('/').slice(0, -1);
}

export function sha256(text: string): { name: 'sha256'; checksum: string } {
  return { name: 'sha256', checksum: createHash('sha256').update(text.trim(), 'utf8').digest('hex') };
}

/** `package://models/x.yml`, dbt's way to name the property file of a node. */
export function patchPath(property: Property | undefined): string | null {
  return property === undefined ? null : `${property.owner.name}://${property.originalFile}`;
}

/**
 * Reads a model: renders its template once without results (dbt's parsing: `execute` is false), which finds its
 * configuration, refs and sources. Mistakes go to the collector; undefined when the template could not be rendered.
 */
export function draftModel(
  workspace: Workspace,
  owner: Package,
  found: FoundFile,
  property: Property | undefined,
): SqlDraft<ModelNode> | undefined {
  const { file, text } = readPackageFile(workspace, owner, found);
  const name = path.posix.basename(found.path, '.sql');
  const fqn = [owner.name, ...folders(found.path), name];
  const at = fileStart(file);
  const layers = [
    ...projectLayers(workspace, owner, 'model', fqn),
    ...(property === undefined ? [] : propertyLayers(workspace, property, 'model', directKeys)),
  ];
  const unique_id = `model.${owner.name}.${name}`;
  const dict: JsonObject = {
    name,
    resource_type: 'model',
    unique_id,
    package_name: owner.name,
    fqn,
    path: found.path,
  };
  const template: Template = { owner, file, layers, text, user: `model "${name}"`, node: () => dict };
  const refs: RefCall[] = [];
  const sourceCalls: SourceCall[] = [];
  const { target } = workspace;
  const self = new RelationValue({ database: target.database, schema: target.schema, identifier: name });
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
  const { config: merged, macros } = result;
  checkInFileConfig(workspace, owner, 'model', merged, layers.length);
  const config = modelConfig(workspace, merged, at);
  const names = relationNames(workspace, owner, { name, resource_type: 'model' }, merged.values, at);
  const node: ModelNode = {
    resource_type: 'model',
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
    unrendered_config: merged.unrendered,
    patch_path: patchPath(property),
    checksum: sha256(text),
    depends_on: { nodes: [], macros },
    at,
    ...names,
    relation_name:
      config.materialized === 'ephemeral' ? null : quoteRelation({ schema: names.schema, name: names.alias }),
    columns: property === undefined ? {} : readColumns(workspace, property, property.values.columns, []),
    language: 'sql',
    raw_code: text,
    compiled: false,
    compiled_code: null,
    refs: [],
    sources: [],
    connector: sinkConnector(workspace, name, property, merged, layers.length, config.materialized, at),
    ...keyPlace(merged),
  };
  return { node, owner, file, layers, config: merged, refs, sourceCalls };
}

/** What `config()` in the file said is checked here: the YAML layers were checked where they were read. */
export function checkInFileConfig(
  workspace: Workspace,
  owner: Package,
  kind: ConfigKind,
  merged: MergedConfig,
  yamlLayers: number,
): void {
  for (const call of merged.layers.slice(yamlLayers)) {
    const mistakes = checkConfig(kind, call.values, () => call.at(''));
    const isRoot = owner === workspace.rootPackage;
    workspace.collector.add(isRoot ? mistakes : mistakes.filter(({ severity }) => severity === 'error'));
  }
}

const materializations: Readonly<Record<string, Materialization>> = {
  view: 'view',
  table: 'table',
  ephemeral: 'ephemeral',
  sink: 'sink',
  materialized_view: 'materialized_view',
  // dbt-materialize's old name, and dbt's: what is incremental there is always up to date here.
  materializedview: 'materialized_view',
  incremental: 'materialized_view',
};

function modelConfig(workspace: Workspace, merged: MergedConfig, at: Location): ModelConfig {
  const { values } = merged;
  const written = values.materialized ?? 'view';
  const materialized =
    typeof written === 'string' && Object.hasOwn(materializations, written)
      ? materializations[written]
      : undefined;
  if (materialized === undefined && typeof written === 'string') {
    const known = Object.keys(materializations);
    workspace.collector.error('SEG121', `unknown materialization "${written}"`, {
      at: merged.origins.get('materialized') ?? at,
      hint: `${didYouMean(written, known) ?? ''} Materializations: ${known.join(', ')}.`.trim(),
    });
  }
  return {
    ...commonConfig(values),
    materialized: materialized ?? 'view',
    schema: textOrNull(values.schema),
    alias: textOrNull(values.alias),
    unique_key: keyColumns(values.unique_key),
    changelog: values.changelog === true,
    maintenance: values.maintenance === 'recompute' ? 'recompute' : 'auto',
  };
}

/** A key as the user wrote it: one column, several, or none. */
export function keyColumns(value: JsonValue | undefined): string | string[] | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.filter((column) => typeof column === 'string');
}

/** Where the `unique_key` that holds is written. */
export function keyPlace({ origins }: MergedConfig): { key_at?: Location } {
  const at = origins.get('unique_key');
  return at === undefined ? {} : { key_at: at };
}

/**
 * What a model that is materialized as `sink` sends to. It stands in a property file only: what `config()` in the SQL
 * says is rendered when the project is read, and a secret must not come into an artifact.
 */
function sinkConnector(
  workspace: Workspace,
  name: string,
  property: Property | undefined,
  merged: MergedConfig,
  yamlLayers: number,
  materialized: Materialization,
  at: Location,
): ModelNode['connector'] {
  const { collector, target } = workspace;
  const inFile = merged.layers.slice(yamlLayers).find(({ values }) => values.connector !== undefined);
  if (inFile !== undefined) {
    collector.error('SEG140', `the connector of model "${name}" is written in the SQL`, {
      at: inFile.at('connector'),
      hint: 'Write it in a property file, under "config:" of the model: only there may it read secrets.',
    });
    return null;
  }
  if (materialized !== 'sink' || merged.values.enabled === false) return null;
  const streaming = target.type === 'risingwave' || target.type === 'materialize';
  const found =
    property === undefined
      ? null
      : readConnector(workspace, property, merged.values.connector, {
          label: `model "${name}"`,
          path: [],
          item: property.values,
          fallback: merged.origins.get('connector') ?? at,
          of: 'sink',
        });
  if (found === null && collector.errors.length === 0) {
    collector.error(
      'SEG140',
      streaming
        ? `model "${name}" is materialized as sink, but has no connector for ${target.type}`
        : `model "${name}" is materialized as sink, which targets of type "${target.type}" do not know`,
      {
        at: merged.origins.get('materialized') ?? at,
        hint: streaming
          ? 'Add "connector:" under its "config:" in a property file.'
          : `Write enabled: "{{ target.type == 'risingwave' }}" beside it; here a sink of "sinks:" sends changes ("seg sync").`,
      },
    );
  }
  return found;
}
