/** What names are bound by: parameters, and the targets of `set`, `for` and `with`. */
import type { Parameter, Target } from './ast.ts';
import type { ExpressionParser } from './expression-parser.ts';
import type { TokenStream } from './token-stream.ts';

/** `(a, b=1)` of a macro or a call block. */
export function parseParameters(stream: TokenStream, expressions: ExpressionParser): Parameter[] {
  const parameters: Parameter[] = [];
  stream.expectOperator('(');
  while (!stream.isOperator(')')) {
    if (parameters.length > 0) stream.expectOperator(',');
    if (stream.isOperator(')')) break;
    const name = stream.expectName("a parameter's name");
    if (parameters.some((other) => other.name === name.value)) {
      throw stream.error(`parameter "${name.value}" declared twice`, name);
    }
    const fallback = stream.skipOperator('=') ? expressions.parseExpression() : undefined;
    if (fallback === undefined && parameters.at(-1)?.fallback !== undefined) {
      throw stream.error('parameter without a default after one that has a default', name);
    }
    parameters.push({ name: name.value, fallback, start: name.start, end: stream.previousEnd });
  }
  stream.expectOperator(')');
  return parameters;
}

/** Names, tuples of them (nested in parentheses too), and with `withNamespace` also `ns.field`. */
export function parseTarget(
  stream: TokenStream,
  options: { ends?: readonly string[]; withNamespace?: boolean },
): Target {
  const first = simpleTarget(stream, options);
  if (!stream.isOperator(',')) return first;
  const items = [first];
  while (stream.skipOperator(',')) {
    const { kind, value } = stream.current;
    if (kind === 'block_end' || stream.isOperator('=') || stream.isOperator(')')) break;
    if (kind === 'name' && options.ends?.includes(value)) break;
    items.push(simpleTarget(stream, options));
  }
  return { kind: 'tuple_target', items, start: first.start, end: stream.previousEnd };
}

function simpleTarget(stream: TokenStream, options: { withNamespace?: boolean }): Target {
  const start = stream.current;
  if (stream.skipOperator('(')) {
    const inner = parseTarget(stream, { withNamespace: options.withNamespace });
    stream.expectOperator(')');
    return inner;
  }
  const token = stream.expectName('a name to assign to');
  if (/^(true|false|none)$/i.test(token.value) && token.value !== 'NONE') {
    throw stream.error(`cannot assign to "${token.value}"`, token);
  }
  if (options.withNamespace && stream.skipOperator('.')) {
    const field = stream.expectName('a field of the namespace');
    return {
      kind: 'namespace_target',
      name: token.value,
      field: field.value,
      start: start.start,
      end: field.end,
    };
  }
  return { kind: 'name', name: token.value, start: token.start, end: token.end };
}
