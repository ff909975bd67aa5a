import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { JsonValue } from '../../changelog/change.ts';
import { quoteRelation } from '../../sql/quote.ts';
import { mergeConfig } from '../config.ts';
import type { FoundFile } from '../files.ts';
import type { SeedConfig, SeedNode } from '../nodes.ts';
import type { Package } from '../package.ts';
import type { Property } from '../properties.ts';
import type { Workspace } from '../workspace.ts';
import { readColumns } from './columns.ts';
import { describe } from './descriptions.ts';
import {
  commonConfig,
  fileStart,
  objectOrEmpty,
  projectLayers,
  propertyLayers,
  textOrNull,
} from './layers.ts';
import { folders, keyColumns, keyPlace, patchPath } from './model.ts';
import { relationNames } from './naming.ts';

/** The files a seed may be, the longer endings first. */
export const seedEndings = ['.csv.gz', '.ndjson.gz', '.jsonl.gz', '.csv', '.ndjson', '.jsonl'] as const;

/** Above this size dbt compares a seed's path and size instead of its content; a seed in git is never that big. */
const maxHashedBytes = 64 * 1024 * 1024;

export function seedName(filePath: string): string | undefined {
  const ending = seedEndings.find((candidate) => filePath.toLowerCase().endsWith(candidate));
  return ending === undefined ? undefined : path.posix.basename(filePath).slice(0, -ending.length);
}

/** A seed's node. Its rows are read by connectors/seeds.ts when they are loaded; only their checksum is taken here. */
export function buildSeed(
  workspace: Workspace,
  owner: Package,
  found: FoundFile,
  name: string,
  property: Property | undefined,
): SeedNode {
  const fqn = [owner.name, ...folders(found.path), name];
  const file = `${owner.prefix}${found.file}`;
  const at = fileStart(file);
  const merged = mergeConfig([
    ...projectLayers(workspace, owner, 'seed', fqn),
    ...(property === undefined
      ? []
      : propertyLayers(workspace, property, 'seed', ['tags', 'meta', 'docs', 'group'])),
  ]);
  const { values } = merged;
  const config: SeedConfig = {
    ...commonConfig(values),
    materialized: 'seed',
    schema: textOrNull(values.schema),
    alias: textOrNull(values.alias),
    delimiter: typeof values.delimiter === 'string' ? values.delimiter : ',',
    column_types: textValues(values.column_types),
    quote_columns: typeof values.quote_columns === 'boolean' ? values.quote_columns : null,
    unique_key: keyColumns(values.unique_key),
  };
  const names = relationNames(workspace, owner, { name, resource_type: 'seed' }, values, at);
  return {
    resource_type: 'seed',
    unique_id: `seed.${owner.name}.${name}`,
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
    checksum: checksum(found.absolute),
    depends_on: { nodes: [], macros: [] },
    at,
    ...names,
    relation_name: quoteRelation({ schema: names.schema, name: names.alias }),
    columns: property === undefined ? {} : readColumns(workspace, property, property.values.columns, []),
    root_path: owner.prefix === '' ? null : owner.prefix,
    ...keyPlace(merged),
  };
}

function textValues(value: JsonValue | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objectOrEmpty(value)).map(([key, type]) => [key, String(type as string)]),
  );
}

function checksum(absolute: string): SeedNode['checksum'] {
  const { size, mtimeMs } = statSync(absolute);
  const content = size > maxHashedBytes ? `${absolute}:${size}:${mtimeMs}` : readFileSync(absolute);
  return { name: 'sha256', checksum: createHash('sha256').update(content).digest('hex') };
}
