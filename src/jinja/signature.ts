/** Binding of arguments to Python-like signatures, for filters, tests, methods and functions written here. */
import { float } from './numbers.ts';
import type { Value } from './template-engine.ts';
import { Fault } from './values.ts';

interface Parameter {
  readonly name: string;
  readonly fallback: Value;
  readonly required: boolean;
}

export interface Signature {
  readonly parameters: readonly Parameter[];
  readonly varargs: boolean;
  readonly kwargs: boolean;
}

const parsed = new Map<string, Signature>();

/**
 * Reads `'s old new count=None *args **kwargs'`. A default is None, True, False, an integer, or '...' without spaces
 * (`'\n'` and `' '` are written `\n` and `\s`).
 */
export function signature(text: string): Signature {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const words = text.split(' ').filter((word) => word !== '');
  const plain = words.filter((word) => !word.startsWith('*'));
  const result: Signature = {
    parameters: plain.map((word) => {
      const at = word.indexOf('=');
      if (at === -1) return { name: word, fallback: undefined, required: true };
      return { name: word.slice(0, at), fallback: literal(word.slice(at + 1)), required: false };
    }),
    varargs: words.some((word) => word.startsWith('*') && !word.startsWith('**')),
    kwargs: words.some((word) => word.startsWith('**')),
  };
  parsed.set(text, result);
  return result;
}

function literal(text: string): Value {
  if (text === 'None') return null;
  if (text === 'True' || text === 'False') return text === 'True';
  if (text.startsWith("'")) return text.slice(1, -1).replace('\\n', '\n').replace('\\s', ' ');
  return text.includes('.') ? float(Number(text)) : Number(text);
}

export interface Bound {
  /** One value per parameter, in order. */
  readonly values: Value[];
  readonly varargs: Value[];
  readonly kwargs: Map<string, Value>;
}

/** Binds a call's arguments. Throws Fault SEG213 when they do not fit. */
export function bind(
  name: string,
  { parameters, varargs, kwargs }: Signature,
  args: readonly Value[],
  keywords: ReadonlyMap<string, Value>,
): Bound {
  if (args.length > parameters.length && !varargs) {
    const most = parameters.length;
    throw new Fault(
      'SEG213',
      `${name} takes at most ${most} argument${most === 1 ? '' : 's'} (${args.length} given)`,
    );
  }
  const rest = new Map(keywords);
  const values = parameters.map((parameter, index) => {
    if (index < args.length) {
      if (rest.has(parameter.name)) {
        throw new Fault('SEG213', `${name} got multiple values for argument "${parameter.name}"`);
      }
      return args[index];
    }
    if (rest.has(parameter.name)) {
      const value = rest.get(parameter.name);
      rest.delete(parameter.name);
      return value;
    }
    if (parameter.required) throw new Fault('SEG213', `${name} is missing argument "${parameter.name}"`);
    return parameter.fallback;
  });
  if (rest.size > 0 && !kwargs) {
    const unknown = [...rest.keys()][0]!;
    const known = parameters.map((parameter) => parameter.name).join(', ');
    const hint = known === '' ? `${name} takes no arguments.` : `${name} takes: ${known}.`;
    throw new Fault('SEG213', `${name} has no argument "${unknown}"`, hint);
  }
  return { values, varargs: args.slice(parameters.length), kwargs: rest };
}
