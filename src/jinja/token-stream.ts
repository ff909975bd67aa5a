import { segError } from '../diagnostics/seg-error.ts';
import type { SegError } from '../diagnostics/seg-error.ts';
import type { Token } from './lexer.ts';
import type { Span, TemplateSource } from './template-source.ts';

/** The tokens of a template with a place to stand in them. */
export class TokenStream {
  readonly source: TemplateSource;
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor(source: TemplateSource, tokens: readonly Token[]) {
    this.source = source;
    this.#tokens = tokens;
  }

  get current(): Token {
    return this.#tokens[this.#index]!;
  }

  /** The end of the token before the current one: where a node that ends here ends. */
  get previousEnd(): number {
    return this.#tokens[this.#index - 1]?.end ?? 0;
  }

  look(ahead = 1): Token {
    return this.#tokens[Math.min(this.#index + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.current;
    if (token.kind !== 'eof') this.#index++;
    return token;
  }

  isOperator(value: string): boolean {
    return this.current.kind === 'operator' && this.current.value === value;
  }

  isName(value: string): boolean {
    return this.current.kind === 'name' && this.current.value === value;
  }

  skipOperator(value: string): boolean {
    if (!this.isOperator(value)) return false;
    this.next();
    return true;
  }

  skipName(value: string): boolean {
    if (!this.isName(value)) return false;
    this.next();
    return true;
  }

  expectOperator(value: string): Token {
    if (!this.isOperator(value)) throw this.unexpected(`"${value}"`);
    return this.next();
  }

  expectName(what = 'a name'): Token {
    if (this.current.kind !== 'name') throw this.unexpected(what);
    return this.next();
  }

  /** An error at the current token: `unexpected "x", expected ...`. */
  unexpected(expected: string, hint?: string): SegError {
    return this.error(`unexpected ${describe(this.current)}, expected ${expected}`, this.current, hint);
  }

  error(message: string, span: Span, hint?: string): SegError {
    return segError('SEG201', message, { at: this.source.locate(span), hint });
  }
}

/** A token as messages name it. */
export function describe(token: Token): string {
  switch (token.kind) {
    case 'block_end':
      return 'end of tag';
    case 'variable_end':
      return 'end of expression';
    case 'data':
      return 'text';
    case 'block_begin':
    case 'variable_begin':
      return 'start of tag';
    case 'eof':
      return 'end of file';
    case 'string':
      return 'string';
    case 'name':
    case 'integer':
    case 'float':
    case 'operator':
      return `"${token.value}"`;
  }
}
