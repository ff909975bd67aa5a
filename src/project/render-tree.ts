import type { JsonValue } from '../changelog/change.ts';
import type { ExactJson } from '../json/exact-json.ts';
import type { YamlPath } from './yaml.ts';
import { entriesOf, objectOf } from '../json/member-order.ts';

/** True when a text has anything for Jinja to do; rendering the many texts that have not would cost most of the time. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%') || text.includes('{#');
}

/**
 * A copy of a YAML value with every template in it rendered. `render` gets the text and its path; subtrees for which
 * `skip` says true are kept as they are (descriptions, hooks, test arguments: they are rendered later or never).
 */
export function renderTree<T extends JsonValue | ExactJson>(
  value: JsonValue,
  render: (text: string, path: YamlPath) => T,
  skip: (path: YamlPath) => boolean = () => false,
): JsonValue | T {
  const walk = (inner: JsonValue, path: YamlPath): ExactJson => {
    if (skip(path)) return inner;
    if (typeof inner === 'string') return isTemplate(inner) ? render(inner, path) : inner;
    if (Array.isArray(inner)) return inner.map((item, index) => walk(item, [...path, index]));
    if (inner === null || typeof inner !== 'object') return inner;
    return objectOf(entriesOf(inner).map(([key, item]) => [key, walk(item, [...path, key])]));
  };
  // Of JSON values only where `render` gives only such.
  return walk(value, []) as JsonValue | T;
}
