/** Operators, from the inline if down to `**`, with the precedences of Jinja2 3.1. */
import type { ArithmeticOperator, ComparisonOperator, Expression } from './ast.ts';
import type { TokenStream } from './token-stream.ts';

const COMPARISONS = new Set(['==', '!=', '<', '<=', '>', '>=']);

export abstract class OperatorParser {
  readonly stream: TokenStream;

  constructor(stream: TokenStream) {
    this.stream = stream;
  }

  /** An operand with its sign; `withFilter`: and the filters and tests behind it. */
  protected abstract unary(withFilter: boolean): Expression;

  parseExpression(withConditional = true): Expression {
    return withConditional ? this.#conditional() : this.#or();
  }

  #conditional(): Expression {
    let node = this.#or();
    while (this.stream.skipName('if')) {
      const test = this.#or();
      const otherwise: Expression | undefined = this.stream.skipName('else')
        ? this.#conditional()
        : undefined;
      node = {
        kind: 'conditional',
        test,
        then: node,
        otherwise,
        start: node.start,
        end: this.stream.previousEnd,
      };
    }
    return node;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.stream.skipName('or')) {
      const right = this.#and();
      left = { kind: 'or', left, right, start: left.start, end: right.end };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.stream.skipName('and')) {
      const right = this.#not();
      left = { kind: 'and', left, right, start: left.start, end: right.end };
    }
    return left;
  }

  #not(): Expression {
    if (!this.stream.isName('not')) return this.#compare();
    const { start } = this.stream.next();
    const operand = this.#not();
    return { kind: 'unary', operator: 'not', operand, start, end: operand.end };
  }

  #compare(): Expression {
    const first = this.#sum();
    const rest: { operator: ComparisonOperator; operand: Expression }[] = [];
    for (;;) {
      const operator = this.#comparison();
      if (operator === undefined) break;
      rest.push({ operator, operand: this.#sum() });
    }
    if (rest.length === 0) return first;
    return { kind: 'compare', first, rest, start: first.start, end: this.stream.previousEnd };
  }

  #comparison(): ComparisonOperator | undefined {
    const { kind, value } = this.stream.current;
    if (kind === 'operator' && COMPARISONS.has(value)) {
      this.stream.next();
      return value as ComparisonOperator;
    }
    if (this.stream.skipName('in')) return 'in';
    const following = this.stream.look();
    if (this.stream.isName('not') && following.kind === 'name' && following.value === 'in') {
      this.stream.next();
      this.stream.next();
      return 'not in';
    }
    return undefined;
  }

  #binary(operators: readonly ArithmeticOperator[], operand: () => Expression): Expression {
    let left = operand();
    for (;;) {
      const operator = operators.find((candidate) => this.stream.isOperator(candidate));
      if (operator === undefined) return left;
      this.stream.next();
      const right = operand();
      left = { kind: 'binary', operator, left, right, start: left.start, end: right.end };
    }
  }

  #sum(): Expression {
    return this.#binary(['+', '-'], () => this.#concat());
  }

  #concat(): Expression {
    const first = this.#product();
    if (!this.stream.isOperator('~')) return first;
    const parts = [first];
    while (this.stream.skipOperator('~')) parts.push(this.#product());
    return { kind: 'concat', parts, start: first.start, end: this.stream.previousEnd };
  }

  #product(): Expression {
    return this.#binary(['*', '/', '//', '%'], () => this.#power());
  }

  #power(): Expression {
    return this.#binary(['**'], () => this.unary(true));
  }
}
