/**
 * The HTTP interface of one project as an OpenAPI 3.1 document: what the routes' schemas say of any source and any model,
 * said of each of the project's.
 */
import type { Project } from '../../project/load.ts';
import type { SourceNode } from '../../project/nodes.ts';
import type { DeployedNode } from '../../state/nodes.ts';
import { filterOf } from '../read-model.ts';
import { movedSchema, recordSchema } from './record-schema.ts';
import { columnSchema, parameterSchema } from './value-schema.ts';

export type Schema = { readonly [name: string]: unknown };

interface ParameterObject {
  readonly name: string;
  readonly in: string;
  readonly [field: string]: unknown;
}

interface Operation {
  readonly parameters?: readonly ParameterObject[];
  readonly [field: string]: unknown;
}

type PathItem = { readonly [method: string]: Operation };

export interface OpenApi {
  readonly info: Schema;
  readonly paths: { readonly [path: string]: PathItem };
  readonly components: { readonly schemas: { readonly [name: string]: Schema } };
  readonly [field: string]: unknown;
}

/** One of the project's, to stand where the routes have a parameter. */
interface Instance {
  /** As paths have it. */
  readonly name: string;
  /** By the name that the routes' schemas refer to: what it is called in this document. */
  readonly schemas: Readonly<Record<string, string>>;
  /** Parameters of its own that a route's path has; undefined: it is not for this one. */
  readonly parameters: (path: string) => readonly ParameterObject[] | undefined;
}

const SCHEMAS = '#/components/schemas/';

/** @param general what the routes' schemas make */
export function documentOf(
  general: OpenApi,
  project: Project,
  deployed: ReadonlyMap<string, DeployedNode>,
): OpenApi {
  const { Row: _row, Columns: _columns, Record: _record, ...shared } = general.components.schemas;
  const schemas: Record<string, Schema> = { ...shared };
  const sources = Object.values(project.manifest.sources)
    .filter((source) => !source.config.existing && source.connector === null)
    .map((source) => sourceInstance(source, schemas));
  const names = new Set<string>();
  const models = [...deployed.values()]
    .filter((node) => node.columns.length > 0)
    // As names are looked up: models first.
    .sort((a, b) => Number(b.uniqueId.startsWith('model.')) - Number(a.uniqueId.startsWith('model.')))
    .map((node) => modelInstance(node, names, schemas));
  const paths: Record<string, PathItem> = {};
  for (const [path, item] of Object.entries(general.paths)) {
    const parameter = /\{(source|model)\}/.exec(path)?.[0];
    if (parameter === undefined) paths[path] = item;
    for (const instance of parameter === '{source}' ? sources : parameter === '{model}' ? models : []) {
      const own = instance.parameters(path);
      if (own === undefined) continue;
      const key = own.filter((each) => each.in === 'path').map(({ name }) => `{${name}}`);
      const url = path.replace(parameter!, encodeURIComponent(instance.name)).replace('{*}', key.join('/'));
      paths[url] = itemOf(replaced(item, parameter!, instance) as PathItem, own);
    }
  }
  const title = `${project.name}, served by seg`;
  return {
    ...general,
    info: { ...general.info, title },
    paths,
    components: { ...general.components, schemas },
  };
}

function sourceInstance(source: SourceNode, schemas: Record<string, Schema>): Instance {
  const name = componentName(source.unique_id);
  const own = source.json_schema;
  const ownName = `${name}.json_schema`;
  if (typeof own === 'object' && own !== null && !Array.isArray(own))
    schemas[ownName] = movedSchema(own, `${SCHEMAS}${ownName}`);
  // Of nodes that are deployed as well, rows are another matter than records.
  const record = `${name}.record`;
  schemas[record] = recordSchema(source, schemas[ownName] && `${SCHEMAS}${ownName}`);
  return {
    name: `${source.source_name}.${source.name}`,
    schemas: { Record: record },
    parameters: () => [],
  };
}

function modelInstance(node: DeployedNode, names: Set<string>, schemas: Record<string, Schema>): Instance {
  const name = names.has(node.name) ? node.uniqueId : node.name;
  names.add(name);
  const row = componentName(node.uniqueId);
  const columns = `${row}.columns`;
  const properties = Object.fromEntries(node.columns.map((each) => [each.name, columnSchema(each.type)]));
  const all = { type: 'object', properties, additionalProperties: false };
  schemas[row] = { ...all, required: node.columns.map((column) => column.name) };
  const followable = node.kind === 'materialized_view';
  if (followable) schemas[columns] = { ...all, description: 'Some of the columns.' };
  const filters = node.columns.flatMap(filtersOf);
  const key = node.key.map((column) => ({
    name: componentName(column),
    in: 'path',
    required: true,
    schema: parameterSchema(node.columns.find((each) => each.name === column)?.type ?? 'text'),
  }));
  return {
    name,
    schemas: { Row: row, Columns: columns },
    parameters(path) {
      if (path.startsWith('/v1/changes/')) return followable ? [] : undefined;
      if (path.endsWith('/{*}')) return key.length > 0 ? key : undefined;
      return filters;
    },
  };
}

/** Types whose values PostgreSQL does not compare. */
const INCOMPARABLE = /^(json|xml|jsonpath|point|line)\b/;
/** And those that it only finds equal. */
const UNORDERED = /^(lseg|polygon|path|circle|box)\b/;

function filtersOf({ name, type }: { name: string; type: string }): ParameterObject[] {
  // A name that is a parameter, or ends as a comparison does, is told apart by one of its own.
  const isTaken = name === 'limit' || name === 'after' || filterOf(name).column !== name;
  const schema = parameterSchema(type);
  const parameter = (end: string, more: Schema): ParameterObject => ({
    ...{ name: `${name}${end}`, in: 'query', required: false, description: type },
    ...more,
  });
  const is = parameter('.is', { schema: { enum: ['null', 'not null'] } });
  if (INCOMPARABLE.test(type)) return [is];
  const ordered = UNORDERED.test(type) ? [] : ['.gt', '.gte', '.lt', '.lte'];
  const equal = isTaken ? '.eq' : '';
  const one = /^jsonb$/.test(type) ? { content: { 'application/json': { schema: {} } } } : { schema };
  const many = { schema: { type: 'array', items: schema, minItems: 1 }, style: 'form', explode: false };
  return [
    ...[equal, '.ne', ...ordered].map((end) => parameter(end, one)),
    // Values with commas of their own are not told apart.
    ...(/^jsonb|\]$/.test(type) ? [] : [parameter('.in', many)]),
    is,
  ];
}

/** Its operations with parameters of the instance in place of those of the path. */
function itemOf(item: PathItem, own: readonly ParameterObject[]): PathItem {
  return Object.fromEntries(
    Object.entries(item).map(([method, operation]) => {
      const kept = (operation.parameters ?? []).filter((each) => each.in !== 'path');
      return [method, { ...operation, parameters: [...own, ...kept] }];
    }),
  );
}

/** A copy in which the instance stands for the parameter, in references and in texts. */
function replaced(value: unknown, parameter: string, instance: Instance): unknown {
  if (typeof value === 'string') return value.replaceAll(parameter, instance.name);
  if (Array.isArray(value)) return value.map((each) => replaced(each, parameter, instance));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const known =
        name === '$ref' && typeof each === 'string'
          ? instance.schemas[each.slice(SCHEMAS.length)]
          : undefined;
      return [name, known === undefined ? replaced(each, parameter, instance) : `${SCHEMAS}${known}`];
    }),
  );
}

/** Components' names have these characters only. */
function componentName(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/gu, (character) => `_x${character.codePointAt(0)!.toString(16)}_`);
}
