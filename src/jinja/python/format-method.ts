/** `str.format`: `'{}-{name[first]!r:>10}'`. */
import { findKey } from '../compare.ts';
import { repr, str } from '../print.ts';
import type { Value } from '../template-engine.ts';
import { Fault, HostObject, PyTuple } from '../values.ts';
import { formatSpec } from './format-spec.ts';

/** Throws Fault SEG216 when the format does not fit the arguments. */
export function formatFields(
  format: string,
  args: readonly Value[],
  kwargs: ReadonlyMap<string, Value>,
): string {
  let automatic = 0;

  const argument = (name: string): Value => {
    const key = name === '' ? String(automatic++) : name;
    if (/^\d+$/.test(key)) {
      if (Number(key) < args.length) return args[Number(key)];
      throw new Fault('SEG216', `replacement index ${key} out of range for positional args tuple`);
    }
    if (kwargs.has(key)) return kwargs.get(key);
    throw new Fault('SEG216', `format() got no argument "${key}"`);
  };

  const field = (text: string, depth: number): string => {
    const [, path = '', conversion, spec = ''] =
      /^((?:[^!:[\]{}]|\[[^\]]*\])*)(?:!([rsa]))?(?::([^]*))?$/.exec(text) ?? bad();
    const [, first = '', rest = ''] = /^([^.[]*)([^]*)$/.exec(path)!;
    let value = argument(first);
    for (const [, name, index] of rest.matchAll(/\.([^.[]+)|\[([^\]]+)\]/g)) value = part(value, name, index);
    if (conversion === 'r' || conversion === 'a') value = repr(value);
    else if (conversion === 's') value = str(value);
    return formatSpec(value, spec.includes('{') ? expand(spec, depth + 1) : spec);
  };

  const expand = (text: string, depth: number): string => {
    if (depth > 1) throw new Fault('SEG216', 'format fields are nested too deeply');
    let out = '';
    for (let at = 0; at < text.length;) {
      const character = text[at]!;
      if ((character === '{' || character === '}') && text[at + 1] === character && depth === 0) {
        out += character;
        at += 2;
      } else if (character === '{') {
        const end = closing(text, at);
        out += field(text.slice(at + 1, end), depth);
        at = end + 1;
      } else if (character === '}') {
        throw new Fault('SEG216', "single '}' encountered in format string");
      } else {
        out += character;
        at++;
      }
    }
    return out;
  };

  return expand(format, 0);
}

function bad(): never {
  throw new Fault('SEG216', 'malformed format field');
}

function closing(text: string, from: number): number {
  let open = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '{') open++;
    else if (text[at] === '}' && --open === 0) return at;
  }
  throw new Fault('SEG216', "single '{' encountered in format string");
}

function part(value: Value, name: string | undefined, index: string | undefined): Value {
  let found: Value;
  if (name !== undefined) {
    if (value instanceof HostObject) found = value.get(name);
  } else if (value instanceof Map) {
    const key = findKey(value, index) ?? (/^\d+$/.test(index!) ? findKey(value, Number(index)) : undefined);
    found = key === undefined ? undefined : value.get(key.key);
  } else {
    const items = value instanceof PyTuple ? value.items : Array.isArray(value) ? (value as Value[]) : [];
    found = items[Number(index)];
  }
  if (found === undefined) throw new Fault('SEG216', `format field ".${name ?? index}" is not there`);
  return found;
}
