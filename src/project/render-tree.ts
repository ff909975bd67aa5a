import type { JsonValue } from '../changelog/change.ts';
import type { YamlPath } from './yaml.ts';

/** True when a text has anything for Jinja to do; rendering the many texts that have not would cost most of the time. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%') || text.includes('{#');
}

/**
 * A copy of a YAML value with every template in it rendered. `render` gets the text and its path; subtrees for which
 * `skip` says true are kept as they are (descriptions, hooks, test arguments: they are rendered later or never).
 */
export function renderTree(
  value: JsonValue,
  render: (text: string, path: YamlPath) => JsonValue,
  skip: (path: YamlPath) => boolean = () => false,
  path: YamlPath = [],
): JsonValue {
  if (skip(path)) return value;
  if (typeof value === 'string') return isTemplate(value) ? render(value, path) : value;
  if (Array.isArray(value))
    return value.map((item, index) => renderTree(item, render, skip, [...path, index]));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, renderTree(inner, render, skip, [...path, key])]),
  );
}
