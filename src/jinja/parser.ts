/** Statements: the tags of Jinja2 3.1, of its extensions `do` and `loopcontrols`, and the four tags dbt adds. */
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type {
  Call,
  Definition,
  Expression,
  FilterExpression,
  MacroBody,
  Parameter,
  Statement,
  Target,
  Template,
} from './ast.ts';
import { parseParameters, parseTarget } from './binding-parser.ts';
import { ExpressionParser } from './expression-parser.ts';
import { tokenize } from './lexer.ts';
import type { Token } from './lexer.ts';
import type { Span, TemplateSource } from './template-source.ts';
import { TokenStream } from './token-stream.ts';

/** Parses a template. Throws SegError SEG201-SEG205 at the first mistake. */
export function parseTemplate(source: TemplateSource): Template {
  try {
    return new Parser(source).parse();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw segError('SEG221', 'the template is nested too deeply to be read', {
      at: { file: source.file, line: 1, column: 1 },
    });
  }
}

interface OpenTag extends Span {
  readonly name: string;
  readonly ends: readonly string[];
}

interface Usage {
  varargs: boolean;
  kwargs: boolean;
  caller: boolean;
}

const TAGS = (
  'if for set macro call filter with block autoescape do print break continue raw ' +
  'test data_test materialization docs snapshot'
).split(' ');
const LOADING_TAGS = new Set(['include', 'import', 'from', 'extends']);

class Parser {
  readonly #source: TemplateSource;
  readonly #stream: TokenStream;
  readonly #expressions: ExpressionParser;
  /** Blocks not yet closed, outermost first. */
  readonly #open: OpenTag[] = [];
  /** Which implicit names the macros being parsed read, outermost first. */
  readonly #usages: Usage[] = [];

  constructor(source: TemplateSource) {
    this.#source = source;
    this.#stream = new TokenStream(source, tokenize(source));
    this.#expressions = new ExpressionParser(this.#stream, (name) => {
      if (name === 'varargs' || name === 'kwargs' || name === 'caller') {
        for (const usage of this.#usages) usage[name] = true;
      }
    });
  }

  parse(): Template {
    const body = this.#statements([]);
    return { body, start: 0, end: this.#source.text.length };
  }

  /** Statements up to (and not including) the name of one of the end tags. */
  #statements(ends: readonly string[]): Statement[] {
    const body: Statement[] = [];
    const stream = this.#stream;
    for (;;) {
      const token = stream.next();
      if (token.kind === 'eof') {
        if (ends.length > 0) this.#unclosed();
        return body;
      }
      if (token.kind === 'data') {
        body.push({ kind: 'text', value: token.value, start: token.start, end: token.end });
      } else if (token.kind === 'variable_begin') {
        const value = this.#expressions.parseTuple();
        if (stream.current.kind !== 'variable_end') throw stream.unexpected('end of expression "}}"');
        stream.next();
        body.push({ kind: 'output', value, start: value.start, end: value.end });
      } else {
        const name = stream.current;
        if (name.kind !== 'name') throw stream.unexpected("a tag's name");
        if (ends.includes(name.value)) return body;
        body.push(...this.#statement(token));
        this.#endOfTag();
      }
    }
  }

  #unclosed(): never {
    const open = this.#open.at(-1)!;
    throw segError('SEG203', `unclosed "${open.name}" block`, {
      at: this.#source.locate(open),
      hint: `Close it with {% ${open.ends.at(-1)} %}.`,
    });
  }

  #endOfTag(): void {
    if (this.#stream.current.kind !== 'block_end') throw this.#stream.unexpected('end of tag "%}"');
    this.#stream.next();
  }

  #statement(begin: Token): Statement[] {
    const tag = this.#stream.current;
    const head = { start: begin.start, end: tag.end };
    this.#stream.next();
    switch (tag.value) {
      case 'if':
        return [this.#if(head)];
      case 'for':
        return [this.#for(head)];
      case 'set':
        return [this.#set(head)];
      case 'macro':
        return [this.#macro(head)];
      case 'call':
        return [this.#call(head)];
      case 'filter':
        return [this.#filter(head)];
      case 'with':
        return [this.#with(head)];
      case 'block':
      case 'autoescape':
        return [this.#scoped(tag, head)];
      case 'do': {
        const value = this.#expressions.parseTuple();
        return [{ kind: 'do', value, start: value.start, end: value.end }];
      }
      case 'print':
        return this.#print();
      case 'break':
      case 'continue':
        if (!this.#open.some((open) => open.name === 'for')) {
          throw this.#stream.error(`"${tag.value}" outside of a loop`, tag);
        }
        return [{ kind: tag.value, start: tag.start, end: tag.end }];
      case 'test':
      case 'data_test':
      case 'materialization':
      case 'docs':
      case 'snapshot':
        return [this.#definition(tag, head)];
      default:
        return this.#unknownTag(tag);
    }
  }

  #unknownTag(tag: Token): never {
    const at = this.#source.locate(tag);
    if (LOADING_TAGS.has(tag.value)) {
      throw segError('SEG205', `tag "${tag.value}" is not available`, {
        at,
        hint: 'Templates cannot load other templates; put shared parts in a macro file: its macros are visible everywhere.',
      });
    }
    const open = this.#open.at(-1);
    const isEnd = tag.value.startsWith('end') || tag.value === 'else' || tag.value === 'elif';
    const expected = open === undefined ? [] : open.ends;
    const hint =
      didYouMean(tag.value, isEnd ? expected : [...TAGS, ...expected]) ??
      (isEnd && open !== undefined
        ? `Close "${open.name}" first, with {% ${open.ends.at(-1)} %}.`
        : undefined);
    throw segError('SEG202', isEnd ? `unexpected tag "${tag.value}"` : `unknown tag "${tag.value}"`, {
      at,
      notes:
        open === undefined
          ? undefined
          : [{ message: `the innermost open block is "${open.name}"`, at: this.#source.locate(open) }],
      hint,
    });
  }

  /** A body after its opening tag; afterwards the name of the end tag is the current token. */
  #body(name: string, head: Span, ends: readonly string[]): Statement[] {
    this.#stream.skipOperator(':');
    this.#endOfTag();
    this.#open.push({ name, ends, start: head.start, end: head.end });
    const body = this.#statements(ends);
    this.#open.pop();
    return body;
  }

  #if(head: Span): Statement {
    const branches: { test: Expression; body: Statement[] }[] = [];
    for (;;) {
      const test = this.#expressions.parseTuple({ withConditional: false });
      branches.push({ test, body: this.#body('if', head, ['elif', 'else', 'endif']) });
      const end = this.#stream.next();
      if (end.value === 'elif') continue;
      let otherwise: Statement[] = [];
      if (end.value === 'else') {
        otherwise = this.#body('if', head, ['endif']);
        this.#stream.next();
      }
      return { kind: 'if', branches, otherwise, start: head.start, end: this.#stream.previousEnd };
    }
  }

  #for(head: Span): Statement {
    const target = parseTarget(this.#stream, { ends: ['in'] });
    if (!this.#stream.skipName('in')) throw this.#stream.unexpected('"in"');
    const iterable = this.#expressions.parseTuple({ withConditional: false, ends: ['recursive'] });
    const condition = this.#stream.skipName('if') ? this.#expressions.parseExpression() : undefined;
    const recursive = this.#stream.skipName('recursive');
    const body = this.#body('for', head, ['else', 'endfor']);
    let otherwise: Statement[] = [];
    if (this.#stream.next().value === 'else') {
      otherwise = this.#body('for', head, ['endfor']);
      this.#stream.next();
    }
    const end = this.#stream.previousEnd;
    return { kind: 'for', target, iterable, condition, recursive, body, otherwise, start: head.start, end };
  }

  #set(head: Span): Statement {
    const target = parseTarget(this.#stream, { withNamespace: true });
    if (this.#stream.skipOperator('=')) {
      const value = this.#expressions.parseTuple();
      return { kind: 'set', target, value, start: head.start, end: value.end };
    }
    let filter: FilterExpression | undefined;
    while (this.#stream.skipOperator('|')) filter = this.#expressions.parseFilter(filter);
    if (this.#stream.current.kind !== 'block_end') throw this.#stream.unexpected('"=" or end of tag');
    const body = this.#body('set', head, ['endset']);
    this.#stream.next();
    return { kind: 'set_block', target, filter, body, start: head.start, end: this.#stream.previousEnd };
  }

  #with(head: Span): Statement {
    const bindings: { target: Target; value: Expression }[] = [];
    while (this.#stream.current.kind !== 'block_end') {
      if (bindings.length > 0) this.#stream.expectOperator(',');
      const target = parseTarget(this.#stream, {});
      this.#stream.expectOperator('=');
      bindings.push({ target, value: this.#expressions.parseExpression() });
    }
    const body = this.#body('with', head, ['endwith']);
    this.#stream.next();
    return { kind: 'with', bindings, body, start: head.start, end: this.#stream.previousEnd };
  }

  #scoped(tag: Token, head: Span): Statement {
    if (tag.value === 'autoescape') {
      const on = this.#expressions.parseExpression();
      if (on.kind !== 'constant' || on.value !== false) {
        throw this.#stream.error(
          'SQL templates are never escaped',
          on,
          'Use the filter "e" where HTML is wanted.',
        );
      }
    } else {
      this.#stream.expectName("the block's name");
      while (this.#stream.skipName('scoped') || this.#stream.skipName('required'));
    }
    const body = this.#body(tag.value, head, [`end${tag.value}`]);
    this.#stream.next();
    if (tag.value === 'block' && this.#stream.current.kind === 'name') this.#stream.next();
    return { kind: 'scoped', body, start: head.start, end: this.#stream.previousEnd };
  }

  #filter(head: Span): Statement {
    let filter = this.#expressions.parseFilter(undefined);
    while (this.#stream.skipOperator('|')) filter = this.#expressions.parseFilter(filter);
    const body = this.#body('filter', head, ['endfilter']);
    this.#stream.next();
    return { kind: 'filter_block', filter, body, start: head.start, end: this.#stream.previousEnd };
  }

  #print(): Statement[] {
    const outputs: Statement[] = [];
    while (this.#stream.current.kind !== 'block_end') {
      if (outputs.length > 0) this.#stream.expectOperator(',');
      const value = this.#expressions.parseExpression();
      outputs.push({ kind: 'output', value, start: value.start, end: value.end });
    }
    return outputs;
  }

  #macro(head: Span): Statement {
    const name = this.#stream.expectName("the macro's name").value;
    const body = this.#macroBody('macro', head, () => parseParameters(this.#stream, this.#expressions));
    return { kind: 'macro', name, ...body };
  }

  #call(head: Span): Statement {
    let call: Call | undefined;
    const body = this.#macroBody('call', head, () => {
      const parameters = this.#stream.isOperator('(') ? parseParameters(this.#stream, this.#expressions) : [];
      // What the block calls belongs to the surrounding macro, not to the block: see #macroBody.
      const usage = this.#usages.pop()!;
      const expression = this.#expressions.parseExpression();
      this.#usages.push(usage);
      if (expression.kind !== 'call') throw this.#stream.error('a call block needs a call', expression);
      call = expression;
      return parameters;
    });
    return { kind: 'call_block', call: call!, ...body };
  }

  /** The rest of a macro-like block: its signature (read by `signature`), its body, its end tag. */
  #macroBody(tag: string, start: Span, signature: () => Parameter[]): MacroBody & Span & { head: Span } {
    const uses: Usage = { varargs: false, kwargs: false, caller: false };
    // As in jinja2, only what the body reads is passed to the macro; a default sees it then, and nothing otherwise.
    const parameters = signature();
    this.#usages.push(uses);
    const head = { start: start.start, end: this.#stream.current.end };
    // Inside the body, `break` may not leave it.
    const loops = this.#open.splice(0);
    const body = this.#body(tag, start, [`end${tag}`]);
    this.#open.push(...loops);
    this.#stream.next();
    this.#usages.pop();
    return { parameters, body, uses, head, start: start.start, end: this.#tagEnd() };
  }

  /** Where the tag the stream stands in ends, braces included. */
  #tagEnd(): number {
    const token = this.#stream.current;
    return token.kind === 'block_end' ? token.end : this.#stream.previousEnd;
  }

  #definition(tag: Token, head: Span): Definition {
    if (tag.value === 'docs') return this.#docs(head);
    const name = this.#stream.expectName(`the ${tag.value}'s name`).value;
    let adapter: string | undefined;
    const body = this.#macroBody(tag.value, head, () => {
      if (tag.value === 'test' || tag.value === 'data_test')
        return parseParameters(this.#stream, this.#expressions);
      if (tag.value === 'materialization') adapter = this.#materializationAdapter();
      return [];
    });
    const kind = tag.value === 'materialization' || tag.value === 'snapshot' ? tag.value : 'test_definition';
    return { kind, name, adapter, text: undefined, ...body };
  }

  /** `, default`, `, adapter='postgres'` and `, supported_languages=[...]` after a materialization's name. */
  #materializationAdapter(): string {
    let adapter = 'default';
    while (this.#stream.skipOperator(',')) {
      const key = this.#stream.expectName('"default", "adapter" or "supported_languages"');
      if (key.value === 'default') continue;
      this.#stream.expectOperator('=');
      const value = this.#expressions.parseExpression();
      if (key.value === 'adapter') {
        if (value.kind !== 'constant' || typeof value.value !== 'string') {
          throw this.#stream.error("the adapter's name must be a string", value);
        }
        adapter = value.value;
      } else if (key.value !== 'supported_languages') {
        throw this.#stream.error(`unknown materialization setting "${key.value}"`, key);
      }
    }
    return adapter;
  }

  #docs(head: Span): Definition {
    const name = this.#stream.expectName("the docs block's name").value;
    const body = this.#body('docs', head, ['enddocs']);
    this.#stream.next();
    const text = body.map((part) => (part.kind === 'text' ? part.value : '')).join('');
    const uses = { varargs: false, kwargs: false, caller: false };
    const span = { start: head.start, end: this.#tagEnd() };
    return { kind: 'docs', name, adapter: undefined, text, parameters: [], body: [], uses, head, ...span };
  }
}
