/** Expressions → values. */
import type { MacroFrame } from '../diagnostics/source-map.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { Arguments, Call, Compare, Expression, FilterExpression, TestExpression } from './ast.ts';
import { getAttribute, getItem, getPath } from './attributes.ts';
import type { Runtime } from './callable.ts';
import { compare, contains, equals, truthy } from './compare.ts';
import { filters } from './filters/all.ts';
import { iterate } from './iterate.ts';
import { Loop } from './loop.ts';
import { Macro } from './macro.ts';
import { updateDict } from './methods/collection-methods.ts';
import { arithmetic, sign } from './numbers.ts';
import { str, undefinedFault } from './print.ts';
import { percentFormat } from './python/percent-format.ts';
import type { Scope } from './scope.ts';
import { bind } from './signature.ts';
import { Slice } from './slices.ts';
import type { HostCall, Value } from './template-engine.ts';
import type { Span, TemplateSource } from './template-source.ts';
import { tests } from './tests.ts';
import { typeName } from './types.ts';
import { Fault, fromHost, HostFunction, HostObject, NothingChosen, PyTuple, Undefined } from './values.ts';

const NO_KEYWORDS: ReadonlyMap<string, Value> = new Map();

/** Names that no scope of the template has: macros, the host's globals, Jinja's own. */
export interface GlobalNames {
  lookUp(name: string, packageName: string): Value;
  names(): Iterable<string>;
}

export interface EvaluatedArguments {
  readonly args: Value[];
  readonly kwargs: ReadonlyMap<string, Value>;
}

export abstract class Evaluator implements Runtime {
  abstract readonly native: boolean;
  /** Where evaluation stands: what an error points at. Not restored after an error, so that it can be read then. */
  protected source: TemplateSource;
  protected place: Span = { start: 0, end: 0 };
  /** The macro calls around the current place, innermost first. */
  protected via: readonly MacroFrame[] = [];
  readonly #globals: GlobalNames;
  readonly #fromHost = new Map<object, Value>();

  constructor(source: TemplateSource, globals: GlobalNames) {
    this.source = source;
    this.#globals = globals;
  }

  protected abstract callMacro(
    macro: Macro,
    args: readonly Value[],
    kwargs: ReadonlyMap<string, Value>,
  ): Value;

  evaluate(node: Expression, scope: Scope): Value {
    switch (node.kind) {
      case 'constant':
        return node.value;
      case 'name':
        return this.#name(node.name, scope);
      case 'list':
        return node.items.map((item) => this.evaluate(item, scope));
      case 'tuple':
        return new PyTuple(node.items.map((item) => this.evaluate(item, scope)));
      case 'dict': {
        const pairs = node.pairs.map(({ key, value }) => [
          this.evaluate(key, scope),
          this.evaluate(value, scope),
        ]);
        this.place = node;
        const dict = new Map<Value, Value>();
        updateDict(dict, pairs, NO_KEYWORDS);
        return dict;
      }
      case 'unary': {
        const value = this.evaluate(node.operand, scope);
        if (node.operator === 'not') return !this.truth(value);
        this.place = node;
        return sign(node.operator, this.#defined(value));
      }
      case 'binary': {
        const left = this.evaluate(node.left, scope);
        const right = this.evaluate(node.right, scope);
        this.place = node;
        this.#defined(left);
        if (node.operator === '%' && typeof left === 'string') return percentFormat(left, right);
        return arithmetic(node.operator, left, this.#defined(right));
      }
      case 'concat':
        return node.parts.map((part) => this.#text(part, scope)).join('');
      case 'compare':
        return this.#compare(node, scope);
      case 'and': {
        const left = this.evaluate(node.left, scope);
        return this.truth(left) ? this.evaluate(node.right, scope) : left;
      }
      case 'or': {
        const left = this.evaluate(node.left, scope);
        return this.truth(left) ? left : this.evaluate(node.right, scope);
      }
      case 'conditional':
        if (this.truth(this.evaluate(node.test, scope))) return this.evaluate(node.then, scope);
        return node.otherwise === undefined ? new NothingChosen() : this.evaluate(node.otherwise, scope);
      case 'attribute': {
        const object = this.evaluate(node.object, scope);
        this.place = object instanceof Undefined ? node.object : node.nameSpan;
        return this.#attribute(object, getAttribute(object, node.name, this.call));
      }
      case 'item': {
        const object = this.evaluate(node.object, scope);
        const index = this.evaluate(node.index, scope);
        this.place = object instanceof Undefined ? node.object : node;
        return this.#attribute(object, getItem(object, index, this.call));
      }
      case 'slice': {
        const [from, to, step] = [node.from, node.to, node.step].map(
          (part) => part && this.evaluate(part, scope),
        );
        this.place = node;
        return new Slice(from, to, step);
      }
      case 'call':
        return this.#call(node, scope);
      case 'filter':
        return this.applyFilter(node, this.evaluate(node.operand!, scope), scope);
      case 'test':
        return this.#test(node, scope);
    }
  }

  truth(value: Value): boolean {
    return truthy(value);
  }

  /** Text of a part of `a ~ b`. */
  #text(node: Expression, scope: Scope): string {
    const value = this.evaluate(node, scope);
    this.place = node;
    return str(value);
  }

  #defined(value: Value): Value {
    if (value instanceof Undefined) throw undefinedFault(value);
    return value;
  }

  #name(name: string, scope: Scope): Value {
    const local = scope.lookUp(name);
    if (local !== undefined) return local;
    const global = this.#globals.lookUp(name, scope.packageName);
    if (global !== undefined) return this.#incoming(global);
    return new Undefined(name, undefined, () => [...scope.names(), ...this.#globals.names()]);
  }

  /** What was read of an object: the host's objects hold the host's values. */
  #attribute(object: Value, found: Value): Value {
    return object instanceof HostObject && !object.internal ? this.#incoming(found) : found;
  }

  /** A value of the host, read as Python's. */
  #incoming(value: Value): Value {
    return typeof value === 'object' || value === undefined ? fromHost(value, this.#fromHost) : value;
  }

  #compare(node: Compare, scope: Scope): boolean {
    let left = this.evaluate(node.first, scope);
    for (const { operator, operand } of node.rest) {
      const right = this.evaluate(operand, scope);
      this.place = node;
      if (!holds(operator, left, right)) return false;
      left = right;
    }
    return true;
  }

  arguments(args: Arguments, scope: Scope): EvaluatedArguments {
    const positional = args.positional.map((argument) => this.evaluate(argument, scope));
    if (args.keyword.length === 0 && args.spread === undefined && args.keywordSpread === undefined) {
      return { args: positional, kwargs: NO_KEYWORDS };
    }
    const kwargs = new Map<string, Value>();
    for (const { name, value } of args.keyword) kwargs.set(name, this.evaluate(value, scope));
    if (args.spread !== undefined) {
      const more = this.evaluate(args.spread, scope);
      this.place = args.spread;
      positional.push(...iterate(more));
    }
    if (args.keywordSpread !== undefined) {
      const more = this.evaluate(args.keywordSpread, scope);
      this.place = args.keywordSpread;
      if (!(more instanceof Map))
        throw new Fault('SEG215', `argument after ** must be a dict, not ${typeName(more)}`);
      for (const [key, value] of more as Map<Value, Value>) kwargs.set(str(key), value);
    }
    return { args: positional, kwargs };
  }

  #call(node: Call, scope: Scope): Value {
    const callee = this.evaluate(node.callee, scope);
    const { args, kwargs } = this.arguments(node.args, scope);
    this.place = callee instanceof Undefined ? node.callee : node;
    return this.call(callee, args, kwargs);
  }

  readonly call: Runtime['call'] = (callee, args, kwargs = NO_KEYWORDS) => {
    if (callee instanceof Macro) return this.callMacro(callee, args, kwargs);
    if (callee instanceof HostFunction || (callee instanceof HostObject && callee.call !== undefined)) {
      const result = callee.call!(this.hostCall(args, kwargs));
      return callee.internal ? result : this.#incoming(result);
    }
    if (callee instanceof Loop && callee.recurse !== undefined)
      return callee.recurse(this.hostCall(args, kwargs));
    if (callee instanceof Undefined) throw this.#unknownCallee(callee);
    throw new Fault('SEG217', `'${typeName(callee)}' object is not callable`);
  };

  protected hostCall(args: readonly Value[], kwargs: ReadonlyMap<string, Value>): HostCall {
    return { args, kwargs, at: this.source.locate(this.place) };
  }

  #unknownCallee(callee: Undefined): Fault {
    const plain = callee.message === `'${callee.name}' is undefined`;
    const message = plain ? `unknown macro or function "${callee.name}"` : callee.message;
    const otherwise = plain ? 'A macro must be defined in a file of the folder macros.' : undefined;
    return new Fault('SEG214', message, didYouMean(callee.name, callee.candidates()) ?? otherwise);
  }

  /** Applies one filter to a value; the operand of `node` is not looked at. */
  applyFilter(node: FilterExpression, value: Value, scope: Scope): Value {
    const { args, kwargs } = this.arguments(node.args, scope);
    this.place = filters.has(node.name) ? node : node.nameSpan;
    return this.filter(node.name, value, args, kwargs);
  }

  #test(node: TestExpression, scope: Scope): boolean {
    const value = this.evaluate(node.operand, scope);
    const { args, kwargs } = this.arguments(node.args, scope);
    this.place = tests.has(node.name) ? node : node.nameSpan;
    return this.test(node.name, value, args, kwargs);
  }

  readonly filter: Runtime['filter'] = (name, value, args, kwargs = NO_KEYWORDS) => {
    const filter = filters.get(name);
    if (filter === undefined) {
      throw new Fault('SEG211', `unknown filter "${name}"`, didYouMean(name, filters.keys()));
    }
    if (value instanceof Undefined && !(value instanceof NothingChosen) && !filter.takesUndefined) {
      throw undefinedFault(value);
    }
    const bound = bind(`filter "${name}"`, filter.signature, args, kwargs);
    return filter.run(value, bound.values, this, bound);
  };

  readonly test: Runtime['test'] = (name, value, args, kwargs = NO_KEYWORDS) => {
    const test = tests.get(name);
    if (test === undefined)
      throw new Fault('SEG212', `unknown test "${name}"`, didYouMean(name, tests.keys()));
    const bound = bind(`test "${name}"`, test.signature, args, kwargs);
    return test.run(value, bound.values, this);
  };

  readonly path: Runtime['path'] = (value, path) => this.#attribute(value, getPath(value, path, this.call));
  readonly hasFilter = (name: string): boolean => filters.has(name);
  readonly hasTest = (name: string): boolean => tests.has(name);
}

function holds(operator: Compare['rest'][number]['operator'], left: Value, right: Value): boolean {
  switch (operator) {
    case '==':
      return equals(left, right);
    case '!=':
      return !equals(left, right);
    case 'in':
      return contains(right, left);
    case 'not in':
      return !contains(right, left);
    case '<':
      return compare(left, right, '<') < 0;
    case '<=':
      return compare(left, right, '<=') <= 0;
    case '>':
      return compare(left, right, '>') > 0;
    case '>=':
      return compare(left, right, '>=') >= 0;
  }
}
