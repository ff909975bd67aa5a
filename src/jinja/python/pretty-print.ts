/** Python's `pprint.pformat` at its default width of 80. */
import { compare } from '../compare.ts';
import { repr } from '../print.ts';
import type { Value } from '../template-engine.ts';
import { lengthOf } from '../text.ts';
import { PyTuple } from '../values.ts';

const WIDTH = 80;

export function prettyPrint(value: Value): string {
  return layOut(value, 0, 0);
}

/** @param after characters that must still fit behind the value: closing brackets and a comma */
function layOut(value: Value, indent: number, after: number): string {
  const flat = flatText(value);
  if (lengthOf(flat) <= WIDTH - indent - after) return flat;
  const inner = indent + 1;
  const separator = `,\n${' '.repeat(inner)}`;
  if (value instanceof Map && value.size > 0) {
    const pairs = sortedPairs(value as Map<Value, Value>);
    const texts = pairs.map(([key, item], index) => {
      const name = `${repr(key)}: `;
      return name + layOut(item, inner + lengthOf(name), index === pairs.length - 1 ? after + 1 : 1);
    });
    return `{${texts.join(separator)}}`;
  }
  const items = Array.isArray(value)
    ? (value as Value[])
    : value instanceof PyTuple
      ? value.items
      : undefined;
  if (items === undefined || items.length === 0) return flat;
  const texts = items.map((item, index) => layOut(item, inner, index === items.length - 1 ? after + 1 : 1));
  if (Array.isArray(value)) return `[${texts.join(separator)}]`;
  return `(${texts.join(separator)}${items.length === 1 ? ',' : ''})`;
}

/** `repr`, with dicts sorted by key as pprint does. */
function flatText(value: Value): string {
  if (value instanceof Map) {
    return `{${sortedPairs(value as Map<Value, Value>)
      .map(([key, item]) => `${repr(key)}: ${flatText(item)}`)
      .join(', ')}}`;
  }
  if (Array.isArray(value)) return `[${(value as Value[]).map(flatText).join(', ')}]`;
  if (value instanceof PyTuple) {
    return value.items.length === 1
      ? `(${flatText(value.items[0])},)`
      : `(${value.items.map(flatText).join(', ')})`;
  }
  return repr(value);
}

function sortedPairs(dict: Map<Value, Value>): [Value, Value][] {
  const pairs = [...dict];
  try {
    return pairs.sort(([a], [b]) => compare(a, b));
  } catch {
    // Keys of unlike types have no order; pprint then sorts by type name.
    return [...dict];
  }
}
