import type { JsonValue } from '../../changelog/change.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import type { HostCall, Value } from '../../jinja/template-engine.ts';
import { toJson } from '../../jinja/to-json.ts';

/** The arguments of a call by parameter name, given by position or by keyword; parameters that were not given are absent. */
export function namedArguments(
  call: HostCall,
  name: string,
  parameters: readonly string[],
): Map<string, Value> {
  const found = new Map<string, Value>();
  if (call.args.length > parameters.length) {
    throw segError(
      'SEG235',
      `${name}() takes at most ${parameters.length} arguments, got ${call.args.length}`,
      {
        at: call.at,
        hint: `Its parameters: ${parameters.join(', ')}.`,
      },
    );
  }
  for (const [index, value] of call.args.entries()) found.set(parameters[index]!, value);
  for (const [key, value] of call.kwargs) {
    if (!parameters.includes(key)) {
      throw segError('SEG235', `${name}() has no parameter "${key}"`, {
        at: call.at,
        hint: `Its parameters: ${parameters.join(', ')}.`,
      });
    }
    found.set(key, value);
  }
  return found;
}

/** An argument that must be text. */
export function textArgument(
  call: HostCall,
  name: string,
  args: Map<string, Value>,
  parameter: string,
): string {
  const value = toJson(args.get(parameter));
  if (typeof value === 'string') return value;
  const shown = value === null ? 'nothing' : JSON.stringify(value);
  throw segError('SEG235', `${name}() needs text as "${parameter}", got ${shown}`, {
    at: call.at,
    hint: `Put quotes around it: ${name}('...').`,
  });
}

/** An optional argument as JSON; undefined when it was not given. */
export function jsonArgument(args: Map<string, Value>, parameter: string): JsonValue | undefined {
  return args.has(parameter) ? toJson(args.get(parameter)) : undefined;
}
