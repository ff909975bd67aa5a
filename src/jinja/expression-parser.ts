/** Expressions, by the grammar of Jinja2 3.1's parser: literals, access, calls, filters, tests. */
import type { Arguments, Call, DictDisplay, Expression, FilterExpression, SliceExpression } from './ast.ts';
import { parseFloatLiteral, parseIntegerLiteral } from './numbers.ts';
import { OperatorParser } from './operator-parser.ts';
import type { Span } from './template-source.ts';
import type { TokenStream } from './token-stream.ts';

const CONSTANTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);
const NO_ARGUMENTS: Arguments = { positional: [], keyword: [], spread: undefined, keywordSpread: undefined };

export class ExpressionParser extends OperatorParser {
  readonly #onName: (name: string) => void;

  /** @param onName is told every name an expression reads; the statement parser finds `caller` and `varargs` so */
  constructor(stream: TokenStream, onName: (name: string) => void) {
    super(stream);
    this.#onName = onName;
  }

  /**
   * One expression, or a tuple when commas follow.
   * @param ends names that end a tuple after a trailing comma
   */
  parseTuple(
    options: { withConditional?: boolean; ends?: readonly string[]; parenthesised?: boolean } = {},
  ): Expression {
    const start = this.stream.current.start;
    const items: Expression[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.stream.expectOperator(',');
      if (this.#endsTuple(options.ends)) break;
      items.push(this.parseExpression(options.withConditional ?? true));
      if (!this.stream.isOperator(',')) break;
      isTuple = true;
    }
    if (!isTuple) {
      if (items[0] !== undefined) return items[0];
      if (options.parenthesised !== true) throw this.stream.unexpected('an expression');
    }
    return { kind: 'tuple', items, start, end: Math.max(start, this.stream.previousEnd) };
  }

  #endsTuple(ends: readonly string[] | undefined): boolean {
    const { kind, value } = this.stream.current;
    if (kind === 'variable_end' || kind === 'block_end' || this.stream.isOperator(')')) return true;
    return kind === 'name' && (ends?.includes(value) ?? false);
  }

  protected unary(withFilter: boolean): Expression {
    let node: Expression;
    if (this.stream.isOperator('-') || this.stream.isOperator('+')) {
      const { start, value } = this.stream.next();
      const operand = this.unary(false);
      node = { kind: 'unary', operator: value as '-' | '+', operand, start, end: operand.end };
    } else {
      node = this.#primary();
    }
    node = this.#postfix(node);
    return withFilter ? this.#filters(node) : node;
  }

  #primary(): Expression {
    const token = this.stream.current;
    const { start, end } = token;
    if (token.kind === 'name') {
      this.stream.next();
      const value = CONSTANTS.get(token.value);
      if (value !== undefined) return { kind: 'constant', value, start, end };
      this.#onName(token.value);
      return { kind: 'name', name: token.value, start, end };
    }
    if (token.kind === 'string') {
      let value = '';
      while (this.stream.current.kind === 'string') value += this.stream.next().value;
      return { kind: 'constant', value, start, end: this.stream.previousEnd };
    }
    if (token.kind === 'integer' || token.kind === 'float') {
      this.stream.next();
      const value = (token.kind === 'integer' ? parseIntegerLiteral : parseFloatLiteral)(token.value);
      return { kind: 'constant', value, start, end };
    }
    if (this.stream.isOperator('(')) {
      this.stream.next();
      const inner = this.parseTuple({ parenthesised: true });
      const closing = this.stream.expectOperator(')');
      return { ...inner, start, end: closing.end };
    }
    if (this.stream.isOperator('[')) return this.#list();
    if (this.stream.isOperator('{')) return this.#dict();
    throw this.stream.unexpected('an expression');
  }

  #list(): Expression {
    const { start } = this.stream.expectOperator('[');
    const items: Expression[] = [];
    while (!this.stream.isOperator(']')) {
      if (items.length > 0) this.stream.expectOperator(',');
      if (this.stream.isOperator(']')) break;
      items.push(this.parseExpression());
    }
    const { end } = this.stream.expectOperator(']');
    return { kind: 'list', items, start, end };
  }

  #dict(): DictDisplay {
    const { start } = this.stream.expectOperator('{');
    const pairs: { key: Expression; value: Expression }[] = [];
    while (!this.stream.isOperator('}')) {
      if (pairs.length > 0) this.stream.expectOperator(',');
      if (this.stream.isOperator('}')) break;
      const key = this.parseExpression();
      this.stream.expectOperator(':');
      pairs.push({ key, value: this.parseExpression() });
    }
    const { end } = this.stream.expectOperator('}');
    return { kind: 'dict', pairs, start, end };
  }

  #postfix(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.stream.isOperator('.')) node = this.#attribute(node);
      else if (this.stream.isOperator('[')) node = this.#item(node);
      else if (this.stream.isOperator('(')) node = this.#call(node);
      else return node;
    }
  }

  #filters(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.stream.isOperator('|')) {
        this.stream.next();
        node = this.parseFilter(node);
      } else if (this.stream.isName('is')) node = this.#test(node);
      else if (this.stream.isOperator('(')) node = this.#call(node);
      else return node;
    }
  }

  #attribute(object: Expression): Expression {
    this.stream.next();
    const token = this.stream.current;
    if (token.kind === 'integer') {
      this.stream.next();
      const index: Expression = {
        kind: 'constant',
        value: parseIntegerLiteral(token.value),
        start: token.start,
        end: token.end,
      };
      return { kind: 'item', object, index, start: object.start, end: token.end };
    }
    if (token.kind !== 'name') throw this.stream.unexpected('a name or a number after "."');
    this.stream.next();
    return {
      kind: 'attribute',
      object,
      name: token.value,
      nameSpan: token,
      start: object.start,
      end: token.end,
    };
  }

  #item(object: Expression): Expression {
    const { start } = this.stream.next();
    const items: Expression[] = [];
    while (!this.stream.isOperator(']')) {
      if (items.length > 0) this.stream.expectOperator(',');
      items.push(this.#subscript());
    }
    const { end } = this.stream.expectOperator(']');
    const index: Expression = items.length === 1 ? items[0]! : { kind: 'tuple', items, start, end };
    return { kind: 'item', object, index, start: object.start, end };
  }

  #subscript(): Expression {
    const { start } = this.stream.current;
    const ends = () =>
      this.stream.isOperator(']') || this.stream.isOperator(',') || this.stream.isOperator(':');
    const from = this.stream.isOperator(':') ? undefined : this.parseExpression();
    if (from !== undefined && !this.stream.isOperator(':')) return from;
    this.stream.expectOperator(':');
    const to = ends() ? undefined : this.parseExpression();
    const step = this.stream.skipOperator(':') && !ends() ? this.parseExpression() : undefined;
    const slice: SliceExpression = { kind: 'slice', from, to, step, start, end: this.stream.previousEnd };
    return slice;
  }

  #call(callee: Expression): Call {
    const args = this.#arguments();
    return { kind: 'call', callee, args, start: callee.start, end: this.stream.previousEnd };
  }

  #arguments(): Arguments {
    const opening = this.stream.expectOperator('(');
    const positional: Expression[] = [];
    const keyword: (Span & { name: string; value: Expression })[] = [];
    let spread: Expression | undefined;
    let keywordSpread: Expression | undefined;
    let first = true;
    while (!this.stream.isOperator(')')) {
      if (!first) {
        this.stream.expectOperator(',');
        if (this.stream.isOperator(')')) break;
      }
      first = false;
      const { start } = this.stream.current;
      if (this.stream.skipOperator('*')) {
        if (spread !== undefined || keywordSpread !== undefined) throw this.#badArguments(opening, start);
        spread = this.parseExpression();
      } else if (this.stream.skipOperator('**')) {
        if (keywordSpread !== undefined) throw this.#badArguments(opening, start);
        keywordSpread = this.parseExpression();
      } else if (this.stream.current.kind === 'name' && isAssign(this.stream.look())) {
        const name = this.stream.next().value;
        this.stream.next();
        if (keyword.some((other) => other.name === name)) {
          throw this.stream.error(`argument "${name}" given twice`, { start, end: start + name.length });
        }
        const value = this.parseExpression();
        keyword.push({ name, value, start, end: value.end });
      } else {
        if (spread !== undefined || keywordSpread !== undefined || keyword.length > 0) {
          throw this.#badArguments(opening, start);
        }
        positional.push(this.parseExpression());
      }
    }
    this.stream.expectOperator(')');
    return { positional, keyword, spread, keywordSpread };
  }

  #badArguments(opening: Span, at: number): Error {
    const hint =
      'Positional arguments come first, then name=value, then *args and **kwargs, each at most once.';
    return this.stream.error(
      'argument out of order',
      { start: Math.max(opening.start, at), end: at + 1 },
      hint,
    );
  }

  /** `name(args)`, the `|` before it already read. */
  parseFilter(operand: Expression | undefined): FilterExpression {
    const name = this.#dottedName("a filter's name");
    const args = this.stream.isOperator('(') ? this.#arguments() : NO_ARGUMENTS;
    const start = operand?.start ?? name.start;
    return {
      kind: 'filter',
      name: name.name,
      nameSpan: name,
      operand,
      args,
      start,
      end: this.stream.previousEnd,
    };
  }

  #dottedName(what: string): Span & { name: string } {
    const first = this.stream.expectName(what);
    let name = first.value;
    while (this.stream.skipOperator('.')) name += `.${this.stream.expectName(what).value}`;
    return { name, start: first.start, end: this.stream.previousEnd };
  }

  #test(operand: Expression): Expression {
    this.stream.next();
    const negated = this.stream.skipName('not');
    const name = this.#dottedName("a test's name");
    let args = NO_ARGUMENTS;
    if (this.stream.isOperator('(')) args = this.#arguments();
    else if (this.#startsTestArgument())
      args = { ...NO_ARGUMENTS, positional: [this.#postfix(this.#primary())] };
    const { start } = operand;
    const end = this.stream.previousEnd;
    const test: Expression = { kind: 'test', name: name.name, nameSpan: name, operand, args, start, end };
    return negated ? { kind: 'unary', operator: 'not', operand: test, start, end } : test;
  }

  /** `x is divisibleby 3`: one argument without parentheses. */
  #startsTestArgument(): boolean {
    const { kind, value } = this.stream.current;
    if (kind === 'string' || kind === 'integer' || kind === 'float') return true;
    if (kind === 'operator') return value === '[' || value === '{';
    if (kind !== 'name') return false;
    if (value === 'is') throw this.stream.error('tests cannot be chained with "is"', this.stream.current);
    // `if` is a name to Jinja too, but `a is defined if b` can only mean the conditional.
    return !['else', 'or', 'and', 'if'].includes(value);
  }
}

function isAssign(token: { kind: string; value: string }): boolean {
  return token.kind === 'operator' && token.value === '=';
}
