/** Statements → text with its source map. One Renderer serves one render. */
import { macroNotes } from '../diagnostics/source-map.ts';
import type { CallBlock, Expression, FilterExpression, For, Statement, Target, With } from './ast.ts';
import { Evaluator } from './evaluator.ts';
import type { GlobalNames } from './evaluator.ts';
import { iterate } from './iterate.ts';
import { locatedError } from './located-error.ts';
import { Loop } from './loop.ts';
import { bindMacro, Macro } from './macro.ts';
import { OutputBuffer } from './output-buffer.ts';
import { str } from './print.ts';
import { ReturnSignal } from './return-signal.ts';
import type { Scope } from './scope.ts';
import type { Value } from './template-engine.ts';
import type { TemplateSource } from './template-source.ts';
import { WHITESPACE } from './text.ts';
import { Fault, Namespace, PyTuple, Undefined, NothingChosen } from './values.ts';

/** Macros call each other at most so deep; JavaScript's own stack holds some times more. */
const MAX_MACRO_DEPTH = 200;
const MAX_ITERATIONS = 1_000_000;
const BLANK_START = new RegExp(`^${WHITESPACE}*`);
const BLANK_END = new RegExp(`${WHITESPACE}*$`);

type Flow = 'break' | 'continue' | undefined;

export class Renderer extends Evaluator {
  readonly native: boolean;
  /** unique_ids of the macros that were called, in order of their first call. */
  readonly touched = new Set<string>();
  #depth = 0;
  #iterations = 0;

  constructor(source: TemplateSource, globals: GlobalNames, options: { native?: boolean } = {}) {
    super(source, globals);
    this.native = options.native ?? false;
  }

  /** Runs `work`; what it throws comes out as a SegError with a place and the macro calls that led there. */
  guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw locatedError(error, this.source.locate(this.place), macroNotes(this.via));
    }
  }

  run(statements: readonly Statement[], scope: Scope, out: OutputBuffer): Flow {
    for (const statement of statements) {
      const flow = this.#statement(statement, scope, out);
      if (flow !== undefined) return flow;
    }
    return undefined;
  }

  #statement(node: Statement, scope: Scope, out: OutputBuffer): Flow {
    switch (node.kind) {
      case 'text':
        out.write(node.value, this.source, node, true, this.via);
        out.values?.push(node.value);
        return undefined;
      case 'output':
        this.#output(node.value, scope, out);
        return undefined;
      case 'if': {
        for (const { test, body } of node.branches) {
          if (this.truth(this.evaluate(test, scope))) return this.run(body, scope, out);
        }
        return this.run(node.otherwise, scope, out);
      }
      case 'for':
        this.#for(node, scope, out);
        return undefined;
      case 'set':
        this.#assign(node.target, this.evaluate(node.value, scope), scope);
        return undefined;
      case 'set_block': {
        const inner = new OutputBuffer();
        const flow = this.run(node.body, scope.inner(), inner);
        this.#assign(node.target, this.#filtered(node.filter, inner.text, scope), scope);
        return flow;
      }
      case 'macro':
        scope.set(node.name, this.#localMacro(node.name, node, scope));
        return undefined;
      case 'call_block':
        this.#callBlock(node, scope, out);
        return undefined;
      case 'filter_block': {
        const inner = new OutputBuffer();
        const flow = this.run(node.body, scope.inner(), inner);
        const value = this.#filtered(node.filter, inner.text, scope);
        this.#write(value, node, out);
        return flow;
      }
      case 'with':
        return this.run(node.body, this.#with(node, scope), out);
      case 'scoped':
        return this.run(node.body, scope.inner(), out);
      case 'do':
        this.evaluate(node.value, scope);
        return undefined;
      case 'break':
      case 'continue':
        return node.kind;
      case 'test_definition':
      case 'materialization':
      case 'docs':
      case 'snapshot':
        return undefined;
    }
  }

  /**
   * `{{ expression }}`. A macro called directly (also under `trim`, or in a branch of an inline if) writes into `out`
   * itself, so its text keeps the places it came from.
   */
  #output(node: Expression, scope: Scope, out: OutputBuffer): void {
    if (out.values === undefined) {
      if (node.kind === 'conditional') {
        if (this.truth(this.evaluate(node.test, scope))) this.#output(node.then, scope, out);
        else if (node.otherwise !== undefined) this.#output(node.otherwise, scope, out);
        return;
      }
      if (node.kind === 'filter' && node.name === 'trim' && node.args.positional.length === 0) {
        if (node.args.keyword.length === 0 && node.operand?.kind === 'call') {
          const inner = new OutputBuffer();
          this.#output(node.operand, scope, inner);
          const from = BLANK_START.exec(inner.text)![0].length;
          const to = inner.text.length - BLANK_END.exec(inner.text)![0].length;
          if (to > from) out.append(inner, from, to);
          return;
        }
      }
      if (node.kind === 'call') {
        const callee = this.evaluate(node.callee, scope);
        const { args, kwargs } = this.arguments(node.args, scope);
        this.place = callee instanceof Undefined ? node.callee : node;
        if (!(callee instanceof Macro)) return this.#write(this.call(callee, args, kwargs), node, out);
        const returned = this.#runMacro(callee, args, kwargs, out);
        if (returned !== undefined) this.#write(returned.value, node, out);
        return;
      }
    }
    this.#write(this.evaluate(node, scope), node, out);
  }

  #write(value: Value, node: Expression | Statement, out: OutputBuffer): void {
    this.place = node;
    out.write(str(value), this.source, node, false, this.via);
    out.values?.push(value);
  }

  #filtered(filter: FilterExpression | undefined, text: string, scope: Scope): Value {
    if (filter === undefined) return text;
    return this.applyFilter(filter, this.#filtered(operandFilter(filter), text, scope), scope);
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.kind === 'name') {
      scope.set(target.name, value);
      return;
    }
    this.place = target;
    if (target.kind === 'namespace_target') {
      const namespace = scope.lookUp(target.name);
      if (namespace === undefined) {
        throw new Fault(
          'SEG210',
          `'${target.name}' is undefined`,
          `Make it first: {% set ${target.name} = namespace() %}.`,
        );
      }
      if (!(namespace instanceof Namespace)) {
        throw new Fault(
          'SEG215',
          'cannot assign to an attribute of a non-namespace object',
          'Only a namespace() has fields to set; dicts change by d.update({...}).',
        );
      }
      namespace.fields.set(target.field, value);
      return;
    }
    const items = Array.from(iterate(value));
    if (items.length !== target.items.length) {
      const few = items.length < target.items.length;
      const message = few
        ? `not enough values to unpack (expected ${target.items.length}, got ${items.length})`
        : `too many values to unpack (expected ${target.items.length})`;
      throw new Fault('SEG216', message);
    }
    target.items.forEach((item, index) => this.#assign(item, items[index], scope));
  }

  #with(node: With, scope: Scope): Scope {
    const inner = scope.inner();
    // Values see the surroundings only, not the names bound beside them.
    const values = node.bindings.map(({ value }) => this.evaluate(value, scope));
    node.bindings.forEach(({ target }, index) => this.#assign(target, values[index], inner));
    return inner;
  }

  #for(node: For, scope: Scope, out: OutputBuffer): void {
    const iterable = this.evaluate(node.iterable, scope);
    this.place = node.iterable;
    this.#loop(node, iterable, scope, out);
  }

  /** @param depth counts a recursive loop's calls of itself, as `loop.depth` does */
  #loop(node: For, iterable: Value, scope: Scope, out: OutputBuffer, depth = 1): void {
    let items = Array.isArray(iterable) ? (iterable as Value[]) : Array.from(iterate(iterable));
    if (node.condition !== undefined) {
      const { condition } = node;
      items = items.filter((item) => {
        const inner = scope.inner();
        this.#assign(node.target, item, inner);
        return this.truth(this.evaluate(condition, inner));
      });
    }
    const recurse = !node.recursive
      ? undefined
      : ({ args }: { args: readonly Value[] }) => {
          const inner = new OutputBuffer();
          if (depth >= MAX_MACRO_DEPTH) throw new Fault('SEG221', 'the loop calls itself too deeply');
          this.#loop(node, args[0], scope, inner, depth + 1);
          return inner.text;
        };
    const loop = new Loop(items, depth, recurse);
    // As in Jinja, `else` also runs when no round reached its end.
    let completed = false;
    for (let index = 0; index < items.length; index++) {
      if (++this.#iterations > MAX_ITERATIONS) {
        throw new Fault(
          'SEG226',
          `loops ran more than ${MAX_ITERATIONS} times`,
          'Look for a loop that does not end.',
        );
      }
      loop.index0 = index;
      const inner = scope.inner();
      inner.set('loop', loop);
      this.#assign(node.target, items[index], inner);
      const flow = this.run(node.body, inner, out);
      if (flow === undefined) completed = true;
      else if (flow === 'break') break;
    }
    if (!completed) this.run(node.otherwise, scope.inner(), out);
  }

  #localMacro(name: string, node: Macro['node'], scope: Scope, caller = false): Macro {
    const lexicalVia = caller ? this.via : undefined;
    return new Macro({ name, uniqueId: undefined, source: this.source, node, scope, lexicalVia });
  }

  #callBlock(node: CallBlock, scope: Scope, out: OutputBuffer): void {
    const callee = this.evaluate(node.call.callee, scope);
    const { args, kwargs } = this.arguments(node.call.args, scope);
    this.place = callee instanceof Undefined ? node.call.callee : node.call;
    const withCaller = new Map([...kwargs, ['caller', this.#localMacro('caller', node, scope, true)]]);
    if (!(callee instanceof Macro)) return this.#write(this.call(callee, args, withCaller), node.call, out);
    const returned = this.#runMacro(callee, args, withCaller, out);
    if (returned !== undefined) this.#write(returned.value, node.call, out);
  }

  protected callMacro(macro: Macro, args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value {
    const out = new OutputBuffer();
    const returned = this.#runMacro(macro, args, kwargs, out);
    return returned === undefined ? out.text : returned.value;
  }

  /** A macro called from outside of any template: its text goes to `out`, its value comes back. */
  runMacro(
    macro: Macro,
    args: readonly Value[],
    kwargs: ReadonlyMap<string, Value>,
    out: OutputBuffer,
  ): Value {
    const returned = this.#runMacro(macro, args, kwargs, out, true);
    if (returned === undefined) return out.text;
    this.place = macro.node.head;
    out.write(str(returned.value), macro.source, macro.node.head, false, []);
    return returned.value;
  }

  /** Runs a macro's body into `out`. A value it returned comes back; then nothing it printed stays in `out`. */
  #runMacro(
    macro: Macro,
    args: readonly Value[],
    kwargs: ReadonlyMap<string, Value>,
    out: OutputBuffer,
    outermost = false,
  ): { value: Value } | undefined {
    const bound = bindMacro(macro, args, kwargs);
    if (this.#depth >= MAX_MACRO_DEPTH) {
      throw new Fault(
        'SEG221',
        `macros call each other more than ${MAX_MACRO_DEPTH} deep`,
        'Look for a macro that calls itself without end.',
      );
    }
    if (macro.uniqueId !== undefined) this.touched.add(macro.uniqueId);
    const { source, place, via } = this;
    const mark = { text: out.text.length, segments: out.segments.length };
    if (macro.lexicalVia !== undefined) this.via = macro.lexicalVia;
    else if (!outermost) {
      const frame = {
        macro: macro.name,
        at: source.locate(place),
        definition: macro.source.locate(macro.node.head),
      };
      this.via = [frame, ...via];
    }
    this.source = macro.source;
    this.#depth++;
    let returned: { value: Value } | undefined;
    try {
      this.run(macro.node.body, this.#macroScope(macro, bound), out);
    } catch (error) {
      // A call block has no value of its own: its `return` ends the macro that called it, as in dbt.
      if (!(error instanceof ReturnSignal) || macro.lexicalVia !== undefined) throw error;
      out.truncate(mark.text, mark.segments);
      returned = { value: error.value };
    }
    this.source = source;
    this.place = place;
    this.via = via;
    this.#depth--;
    return returned;
  }

  #macroScope(macro: Macro, bound: ReturnType<typeof bindMacro>): Scope {
    const scope = macro.scope.inner();
    const { parameters, uses } = macro.node;
    if (uses.varargs) scope.set('varargs', new PyTuple(bound.varargs));
    if (uses.kwargs) scope.set('kwargs', new Map(bound.kwargs));
    if (uses.caller && !parameters.some(({ name }) => name === 'caller')) {
      scope.set('caller', bound.caller ?? new Undefined('caller', 'no caller defined'));
    }
    // What is not passed is undefined to defaults without being a mistake: `b=varargs|length` is 0.
    for (const name of ['varargs', 'kwargs', 'caller'] as const)
      if (!uses[name] && scope.lookUp(name) === undefined)
        scope.set(name, new NothingChosen(name, `the body of macro '${macro.name}' does not read '${name}'`));
    parameters.forEach(({ name, fallback }, index) => {
      const given = bound.values[index];
      if (given !== undefined) scope.set(name, given);
      else if (fallback !== undefined) scope.set(name, this.evaluate(fallback, scope));
      else scope.set(name, new Undefined(name, `parameter '${name}' was not provided`));
    });
    return scope;
  }
}

/** `{% filter a | b %}` nests b around a; a's operand is undefined: it takes the block's text. */
function operandFilter(filter: FilterExpression): FilterExpression | undefined {
  return filter.operand?.kind === 'filter' ? filter.operand : undefined;
}
