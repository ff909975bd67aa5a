import path from 'node:path';
import type { JsonValue } from '../../changelog/change.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import { quoteRelation } from '../../sql/quote.ts';
import { asList, mergeConfig } from '../config.ts';
import { isFile, readText } from '../files.ts';
import type { SourceConfig, SourceNode } from '../nodes.ts';
import { isObject } from '../project-file.ts';
import type { JsonObject } from '../project-file.ts';
import type { Property } from '../properties.ts';
import type { Workspace } from '../workspace.ts';
import { parseYaml } from '../yaml.ts';
import type { YamlPath } from '../yaml.ts';
import { readColumns } from './columns.ts';
import { describe } from './descriptions.ts';
import {
  commonConfig,
  objectOrEmpty,
  projectLayers,
  propertyLayers,
  textList,
  textOrNull,
} from './layers.ts';
import { folders, patchPath } from './model.ts';
import { pythonStr } from '../python-text.ts';

const sourceKeys = ['tags', 'meta', 'freshness', 'loaded_at_field', 'loaded_at_query'];
const tableKeys = [...sourceKeys, 'key', 'format', 'json_schema', 'on_conflict', 'on_error', 'existing'];

/** A table of a source, and where it stands in its property (for the tests on it). */
export interface BuiltSource {
  readonly node: SourceNode;
  readonly property: Property;
  readonly table: JsonObject;
  readonly path: YamlPath;
}

/** The nodes of one `sources:` item, a table each. */
export function buildSources(workspace: Workspace, property: Property): BuiltSource[] {
  return asList(property.values.tables).flatMap((table, index) => {
    if (!isObject(table)) return [];
    const at: YamlPath = ['tables', index];
    return [{ node: buildTable(workspace, property, table, at), property, table, path: at }];
  });
}

function buildTable(
  workspace: Workspace,
  property: Property,
  table: JsonObject,
  tablePath: YamlPath,
): SourceNode {
  const { owner, values: source, name: sourceName } = property;
  const name = pythonStr(table.name);
  const fqn = [owner.name, ...folders(property.path), sourceName, name];
  const merged = mergeConfig([
    ...projectLayers(workspace, owner, 'source', fqn),
    ...propertyLayers(workspace, property, 'source', sourceKeys),
    ...propertyLayers(workspace, property, 'source', tableKeys, table, tablePath),
  ]);
  const { values } = merged;
  const config: SourceConfig = {
    ...commonConfig(values),
    on_conflict: values.on_conflict === 'upsert' ? 'upsert' : 'append',
    on_error: values.on_error === 'quarantine' ? 'quarantine' : 'fail',
    existing: values.existing === true,
  };
  const columns = readColumns(workspace, property, table.columns, tablePath);
  const key = textList(values.key);
  const keyAt = merged.origins.get('key') ?? property.at([...tablePath, 'name']);
  const names = Object.keys(columns);
  for (const column of key) {
    if (names.length > 0 && !names.includes(column)) {
      workspace.collector.error(
        'SEG122',
        `unknown column "${column}" in the key of source "${sourceName}.${name}"`,
        {
          at: keyAt,
          hint: didYouMean(column, names) ?? `Its columns: ${names.join(', ')}.`,
        },
      );
    }
  }
  if (config.on_conflict === 'upsert' && key.length === 0) {
    workspace.collector.error('SEG123', `source "${sourceName}.${name}" has on_conflict: upsert but no key`, {
      at: merged.origins.get('on_conflict') ?? keyAt,
      hint: 'Add "key:", the columns that identify a record.',
    });
  }
  const { type } = workspace.target;
  if (config.existing && type !== 'risingwave' && type !== 'materialize') {
    workspace.collector.error(
      'SEG134',
      `source "${sourceName}.${name}" is existing, which targets of type "${type}" do not know`,
      {
        at: merged.origins.get('existing') ?? keyAt,
        hint: `seg keeps models up to date on tables that it has made. Write existing: "{{ target.type == 'risingwave' }}" for one that only an engine's own connector fills.`,
      },
    );
  }
  const schema = textOrNull(values.schema) ?? textOrNull(source.schema) ?? workspace.target.schema;
  const identifier = textOrNull(table.identifier) ?? name;
  return {
    resource_type: 'source',
    unique_id: `source.${owner.name}.${sourceName}.${name}`,
    name,
    package_name: owner.name,
    path: property.originalFile,
    original_file_path: property.originalFile,
    fqn,
    description: describe(workspace, property, table.description, [...tablePath, 'description']),
    tags: config.tags,
    meta: config.meta,
    config,
    unrendered_config: merged.unrendered,
    patch_path: patchPath(property),
    checksum: { name: 'none', checksum: '' },
    depends_on: { nodes: [], macros: [] },
    at: property.at([...tablePath, 'name']),
    database: textOrNull(source.database) ?? workspace.target.database,
    schema,
    alias: identifier,
    relation_name: quoteRelation({ schema, name: identifier }),
    columns,
    source_name: sourceName,
    source_description: describe(workspace, property, source.description, ['description']),
    loader: textOrNull(table.loader) ?? textOrNull(source.loader) ?? '',
    identifier,
    loaded_at_field: textOrNull(values.loaded_at_field),
    key,
    format: values.format === 'csv' ? 'csv' : 'json',
    json_schema: readJsonSchema(workspace, property, values.json_schema, merged.origins.get('json_schema')),
  };
}

/** An inline schema as it is; a file's name is read relative to the property file, then to the package's root. */
function readJsonSchema(
  workspace: Workspace,
  property: Property,
  written: JsonValue | undefined,
  at: ReturnType<Property['at']> | undefined,
): JsonValue {
  if (written === undefined || written === null) return null;
  if (typeof written !== 'string') return isObject(written) || typeof written === 'boolean' ? written : null;
  const { owner } = property;
  const beside = path.posix.join(path.posix.dirname(property.originalFile), written);
  const found = [beside, written].find((candidate) => isFile(path.join(owner.root, candidate)));
  if (found === undefined) {
    workspace.collector.error('SEG124', `no file "${written}" (JSON Schema of a source)`, {
      ...(at === undefined ? {} : { at }),
      hint: `Its place is relative to the property file: ${owner.prefix}${beside}.`,
    });
    return null;
  }
  const file = `${owner.prefix}${found}`;
  const text = readText(path.join(owner.root, found));
  workspace.files.set(file, text);
  const { yaml, errors } = parseYaml(file, text);
  workspace.collector.add(errors);
  return errors.length > 0 ? null : objectOrEmpty(yaml.value);
}
