/**
 * How records become rows of a source: what of its declaration its table does not show. It is kept with the source, so that a
 * run says what has changed of it, and whoever takes records in meanwhile (`seg serve`) hears of it.
 */
import { createHash } from 'node:crypto';
import type { JsonValue } from '../changelog/change.ts';
import type { SourceNode } from '../project/nodes.ts';
import { valuesOf } from '../json/member-order.ts';

/** The setting of a deployed source. */
export const INTAKE = 'intake';

export function intakeOf(source: SourceNode): { readonly [aspect: string]: JsonValue } {
  const paths = valuesOf(source.columns).map((column) => [column.name, column.path ?? null]);
  const { on_conflict, on_error, delimiter } = source.config;
  const schema = JSON.stringify(source.json_schema ?? null);
  return {
    paths: Object.fromEntries(paths) as { [column: string]: JsonValue },
    on_conflict,
    on_error,
    format: source.format,
    delimiter: delimiter ?? null,
    json_schema: schema === 'null' ? null : createHash('sha256').update(schema).digest('hex').slice(0, 32),
  };
}

/** In words; nothing for a source that was deployed when this was not kept yet. */
export function intakeChanges(old: JsonValue | undefined, now: JsonValue | undefined): string[] {
  if (!isObject(old) || !isObject(now)) return [];
  const { paths: oldPaths, json_schema: oldSchema, ...before } = old;
  const { paths, json_schema, ...after } = now;
  const columns = isObject(oldPaths) && isObject(paths) ? Object.keys(paths) : [];
  const moved = columns.filter(
    (name) => name in (oldPaths as object) && pathOf(oldPaths, name) !== pathOf(paths, name),
  );
  return [
    ...moved.map(
      (name) =>
        `column "${name}" is read from ${pathOf(paths, name)}, no more from ${pathOf(oldPaths, name)}`,
    ),
    ...Object.keys(after)
      .filter((name) => before[name] !== after[name])
      .map((name) => `${name} is ${wordOf(after[name])}, no more ${wordOf(before[name])}`),
    ...(oldSchema === json_schema ? [] : [schemaChange(oldSchema, json_schema)]),
  ];
}

function wordOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : 'the usual one';
}

function schemaChange(old: JsonValue | undefined, now: JsonValue | undefined): string {
  if (now === null) return 'records are not checked by a json_schema any more';
  return old === null ? 'records are checked by a json_schema' : 'records are checked by another json_schema';
}

function pathOf(paths: JsonValue | undefined, column: string): string {
  const path = isObject(paths) ? paths[column] : null;
  return `"${typeof path === 'string' ? path : column}"`;
}

function isObject(value: JsonValue | undefined): value is { [name: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
