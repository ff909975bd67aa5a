/**
 * Text → tokens, by the rules of Jinja2 3.1's lexer with its default delimiters (trim_blocks and lstrip_blocks off,
 * one trailing newline dropped). Every token carries its offsets in the text.
 */
import { segError } from '../diagnostics/seg-error.ts';
import type { SegError } from '../diagnostics/seg-error.ts';
import { decodePythonString } from './python-string.ts';
import type { Span, TemplateSource } from './template-source.ts';

export type TokenKind =
  | 'data'
  | 'variable_begin'
  | 'variable_end'
  | 'block_begin'
  | 'block_end'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'operator'
  | 'eof';

export interface Token extends Span {
  readonly kind: TokenKind;
  /** data: the text to print; name, operator: its letters; string: decoded; numbers: digits without `_`. */
  readonly value: string;
}

const OPERATORS = ['//', '**', '==', '!=', '>=', '<=', ...'+-*/%~()[]{}<>=.:|,;'];
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

const BEGIN = /\{[{%#]/g;
const WHITESPACE = /[ \t\n\r\f\v]+/y;
const FLOAT = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/y;
const INTEGER = /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|[1-9](?:_?\d)*|0(?:_?0)*/y;
const NAME = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy;
const STRING = /'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"/y;
const RAW = /\{%[-+]?\s*raw\s*(-?)%\}/y;

/** Tokens of the whole template, `eof` last. Throws SegError SEG201 or SEG204 with the place. */
export function tokenize(source: TemplateSource): Token[] {
  return new Lexer(source).run();
}

class Lexer {
  readonly #source: TemplateSource;
  readonly #text: string;
  /** Where the template ends for Jinja: before one trailing newline. */
  readonly #end: number;
  readonly #tokens: Token[] = [];
  #pos = 0;

  constructor(source: TemplateSource) {
    this.#source = source;
    this.#text = source.text;
    this.#end = source.text.length - (/(?:\r\n|\r|\n)$/.exec(source.text)?.[0].length ?? 0);
  }

  run(): Token[] {
    let stripNext = false;
    while (this.#pos < this.#end) {
      const begin = this.#find(BEGIN, this.#pos);
      const dataEnd = begin === -1 ? this.#end : begin;
      const control = begin === -1 ? '' : this.#text[begin + 2];
      this.#data(this.#pos, dataEnd, stripNext, control === '-');
      if (begin === -1) break;
      this.#pos = begin;
      RAW.lastIndex = begin;
      const raw = RAW.exec(this.#text);
      if (raw !== null) stripNext = this.#raw(begin, raw[0].length, raw[1] === '-');
      else if (this.#text[begin + 1] === '#') stripNext = this.#comment(begin);
      else {
        const opening = this.#tokens.length;
        stripNext = this.#tag(begin, control === '-' || control === '+' ? 3 : 2);
        if (this.#tokens[opening]!.kind === 'block_begin' && this.#tokens[opening + 1]!.value === 'docs') {
          stripNext = this.#docs(begin, stripNext);
        }
      }
    }
    this.#push('eof', '', this.#end, this.#end);
    return this.#tokens;
  }

  #find(pattern: RegExp, from: number): number {
    pattern.lastIndex = from;
    const match = pattern.exec(this.#text);
    return match === null || match.index >= this.#end ? -1 : match.index;
  }

  #push(kind: TokenKind, value: string, start: number, end: number): void {
    this.#tokens.push({ kind, value, start, end });
  }

  /** Literal text; `\r\n` and `\r` become `\n`, cutting the run so that each part still maps letter by letter. */
  #data(from: number, to: number, stripLeft: boolean, stripRight: boolean): void {
    let start = from;
    let end = to;
    if (stripLeft) while (start < end && isSpace(this.#text, start)) start++;
    if (stripRight) while (end > start && isSpace(this.#text, end - 1)) end--;
    for (;;) {
      const cr = this.#text.indexOf('\r', start);
      if (cr === -1 || cr >= end) break;
      if (cr > start) this.#push('data', this.#text.slice(start, cr), start, cr);
      if (this.#text[cr + 1] !== '\n') this.#push('data', '\n', cr, cr + 1);
      start = cr + 1;
    }
    if (end > start) this.#push('data', this.#text.slice(start, end), start, end);
  }

  /** `{% raw %}...{% endraw %}`; answers whether the text after it is stripped. */
  #raw(begin: number, length: number, stripLeft: boolean): boolean {
    const close = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g;
    close.lastIndex = begin + length;
    const match = close.exec(this.#text);
    if (match === null) {
      throw this.#error(
        'SEG204',
        'unclosed "raw" block',
        begin,
        begin + length,
        'Close it with {% endraw %}.',
      );
    }
    this.#data(begin + length, match.index, stripLeft, match[1] === '-');
    this.#pos = match.index + match[0].length;
    return match[2] === '-';
  }

  /** The body of `{% docs name %}` is prose, not a template: one piece of data up to `{% enddocs %}`. */
  #docs(begin: number, stripLeft: boolean): boolean {
    const close = this.#find(/\{%([-+]?)\s*enddocs\b/g, this.#pos);
    if (close === -1) {
      throw this.#error('SEG203', 'unclosed "docs" block', begin, this.#pos, 'Close it with {% enddocs %}.');
    }
    this.#data(this.#pos, close, stripLeft, this.#text[close + 2] === '-');
    this.#pos = close;
    return this.#tag(close, '-+'.includes(this.#text[close + 2]!) ? 3 : 2);
  }

  #comment(begin: number): boolean {
    const close = this.#text.indexOf('#}', begin + 2);
    if (close === -1) throw this.#error('SEG204', 'unclosed comment', begin, begin + 2, 'Close it with #}.');
    this.#pos = close + 2;
    return close > begin + 2 && this.#text[close - 1] === '-';
  }

  /** One `{{ }}` or `{% %}`. */
  #tag(begin: number, opening: number): boolean {
    const block = this.#text[begin + 1] === '%';
    const closing = block ? '%}' : '}}';
    this.#push(block ? 'block_begin' : 'variable_begin', '', begin, begin + opening);
    this.#pos = begin + opening;
    const brackets: Token[] = [];
    for (;;) {
      this.#match(WHITESPACE);
      if (this.#pos >= this.#end) {
        const kind = block ? 'tag' : 'expression';
        throw this.#error('SEG204', `unclosed ${kind}`, begin, begin + opening, `Close it with ${closing}.`);
      }
      if (brackets.length === 0) {
        const sign = this.#text[this.#pos];
        const signed = sign === '-' || (block && sign === '+') ? 1 : 0;
        if (this.#text.startsWith(closing, this.#pos + signed)) {
          const end = this.#pos + signed + 2;
          this.#push(block ? 'block_end' : 'variable_end', '', this.#pos, end);
          this.#pos = end;
          return signed === 1 && sign === '-';
        }
      }
      this.#token(brackets, closing);
    }
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#pos;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#pos += match.length;
    return match;
  }

  #token(brackets: Token[], closing: string): void {
    const start = this.#pos;
    // `a.0.1` is two subscripts, not `a` and the float 0.1.
    const afterDot = this.#text[start - 1] === '.';
    let value = afterDot ? undefined : this.#match(FLOAT);
    if (value !== undefined) return this.#push('float', value.replaceAll('_', ''), start, this.#pos);
    value = this.#match(INTEGER);
    if (value !== undefined) return this.#push('integer', value.replaceAll('_', ''), start, this.#pos);
    value = this.#match(NAME);
    if (value !== undefined) return this.#push('name', value, start, this.#pos);
    value = this.#match(STRING);
    if (value !== undefined) {
      const decoded = decodePythonString(value.slice(1, -1).replace(/\r\n?/g, '\n'));
      if (decoded === undefined) {
        throw this.#error(
          'SEG201',
          'malformed escape in a string',
          start,
          this.#pos,
          'Write \\\\ for a backslash.',
        );
      }
      return this.#push('string', decoded, start, this.#pos);
    }
    const operator = OPERATORS.find((candidate) => this.#text.startsWith(candidate, start));
    if (operator === undefined) {
      const character = String.fromCodePoint(this.#text.codePointAt(start)!);
      if (character === '"' || character === "'") {
        const hint = `Close the string with ${character} before ${closing}.`;
        throw this.#error('SEG204', 'unclosed string', start, start + 1, hint);
      }
      throw this.#error('SEG201', `unexpected character ${character}`, start, start + character.length);
    }
    this.#pos += operator.length;
    this.#push('operator', operator, start, this.#pos);
    this.#balance(operator, brackets);
  }

  #balance(operator: string, brackets: Token[]): void {
    const token = this.#tokens.at(-1)!;
    if (operator in CLOSING) {
      brackets.push(token);
    } else if (operator === ')' || operator === ']' || operator === '}') {
      const opened = brackets.pop();
      if (opened === undefined)
        throw this.#error('SEG201', `unexpected "${operator}"`, token.start, token.end);
      const expected = CLOSING[opened.value]!;
      if (expected === operator) return;
      throw segError('SEG201', `unexpected "${operator}", expected "${expected}"`, {
        at: this.#source.locate(token),
        notes: [{ message: `"${opened.value}" was opened here`, at: this.#source.locate(opened) }],
      });
    }
  }

  #error(code: string, message: string, start: number, end: number, hint?: string): SegError {
    return segError(code, message, { at: this.#source.locate({ start, end }), hint });
  }
}

function isSpace(text: string, at: number): boolean {
  return /\s/.test(text[at]!);
}
