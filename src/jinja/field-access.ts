/**
 * Which fields of its values a template reads, without rendering it: for values whose fields are known before there are
 * any. What cannot be followed (a filter's result, a macro's argument) is taken for right.
 */
import type { Arguments, Expression, Statement, Target } from './ast.ts';
import type { Span } from './template-source.ts';
import { parseTemplate } from './parser.ts';
import type { TemplateSource } from './template-source.ts';

/** What is known of a value: its fields, the shape of its items, or nothing. */
export type ValueShape =
  { readonly fields: ReadonlyMap<string, ValueShape> } | { readonly items: ValueShape } | null;

export interface TemplateUse {
  /** A field that the value does not have. */
  readonly unknownFields: readonly (Span & { readonly name: string; readonly known: readonly string[] })[];
  /** Names that are neither given nor made by the template. */
  readonly otherNames: readonly (Span & { readonly name: string })[];
  /** `env_var('X')` without a default. */
  readonly variables: readonly (Span & { readonly name: string })[];
}

type Names = ReadonlyMap<string, ValueShape>;

/** @throws SegError SEG201-SEG205 for a template that cannot be read */
export function templateUse(source: TemplateSource, values: Names): TemplateUse {
  const reader = new UseReader();
  reader.body(parseTemplate(source).body, new Map(values));
  return reader;
}

/** Methods of Python's dict. */
const methods = new Set(['items', 'keys', 'values', 'get', 'copy', 'pop', 'update', 'setdefault', 'clear']);
/** `x is defined` and `x | default(...)` ask whether there is a field. */
const asking = new Set(['defined', 'undefined', 'default', 'd']);
const itemFilters = new Set(['first', 'last', 'random']);
const listFilters = new Set([
  'list',
  'sort',
  'reverse',
  'unique',
  'selectattr',
  'rejectattr',
  'select',
  'reject',
]);

class UseReader implements TemplateUse {
  readonly unknownFields: (Span & { name: string; known: string[] })[] = [];
  readonly otherNames: (Span & { name: string })[] = [];
  readonly variables: (Span & { name: string })[] = [];

  body(statements: readonly Statement[], names: Map<string, ValueShape>): void {
    for (const statement of statements) this.#statement(statement, names);
  }

  #statement(node: Statement, names: Map<string, ValueShape>): void {
    const inner = (): Map<string, ValueShape> => new Map(names);
    switch (node.kind) {
      case 'text':
      case 'break':
      case 'continue':
        return;
      case 'output':
      case 'do':
        this.#shape(node.value, names);
        return;
      case 'if':
        // Names set in a branch are there after it.
        for (const { test, body } of node.branches) {
          this.#shape(test, names);
          this.body(body, names);
        }
        this.body(node.otherwise, names);
        return;
      case 'for': {
        const over = this.#shape(node.iterable, names);
        const scope = inner().set('loop', null);
        bind(node.target, over !== null && 'items' in over ? over.items : null, scope);
        if (node.condition !== undefined) this.#shape(node.condition, scope);
        this.body(node.body, scope);
        this.body(node.otherwise, inner());
        return;
      }
      case 'set':
        bind(node.target, this.#shape(node.value, names), names);
        return;
      case 'set_block':
        this.body(node.body, inner());
        bind(node.target, null, names);
        return;
      case 'with': {
        const scope = inner();
        for (const { target, value } of node.bindings) bind(target, this.#shape(value, names), scope);
        this.body(node.body, scope);
        return;
      }
      case 'filter_block':
      case 'scoped':
        this.body(node.body, inner());
        return;
      default: {
        const scope = inner().set('varargs', null).set('kwargs', null).set('caller', null);
        for (const { name, fallback } of node.parameters) {
          if (fallback !== undefined) this.#shape(fallback, names);
          scope.set(name, null);
        }
        if (node.kind === 'call_block') this.#shape(node.call, names);
        if (node.kind === 'macro') names.set(node.name, null);
        this.body(node.body, scope);
      }
    }
  }

  /** Notes what the expression reads; returns what is known of its value. */
  #shape(node: Expression, names: Names, asks = false): ValueShape {
    switch (node.kind) {
      case 'constant':
        return null;
      case 'name':
        if (!names.has(node.name) && !asks) this.otherNames.push({ ...spanOf(node), name: node.name });
        return names.get(node.name) ?? null;
      case 'attribute':
        return this.#field(this.#shape(node.object, names), node.name, node.nameSpan, asks);
      case 'item': {
        const of = this.#shape(node.object, names);
        if (node.index.kind !== 'constant') this.#shape(node.index, names);
        else if (typeof node.index.value === 'string')
          return this.#field(of, node.index.value, node.index, asks);
        return of !== null && 'items' in of ? of.items : null;
      }
      case 'filter': {
        const asked = asking.has(node.name);
        const of = node.operand === undefined ? null : this.#shape(node.operand, names, asked);
        this.#arguments(node.args, names);
        if (of === null || !('items' in of)) return asked ? of : null;
        return itemFilters.has(node.name) ? of.items : listFilters.has(node.name) ? of : null;
      }
      case 'test':
        this.#shape(node.operand, names, asking.has(node.name));
        this.#arguments(node.args, names);
        return null;
      case 'call':
        if (node.callee.kind === 'name' && node.callee.name === 'env_var') this.#variable(node.args);
        this.#shape(node.callee, names);
        this.#arguments(node.args, names);
        return null;
      case 'list':
      case 'tuple':
        for (const item of node.items) this.#shape(item, names);
        return null;
      case 'dict':
        for (const { key, value } of node.pairs) {
          this.#shape(key, names);
          this.#shape(value, names);
        }
        return null;
      case 'unary':
        this.#shape(node.operand, names);
        return null;
      case 'concat':
        for (const part of node.parts) this.#shape(part, names);
        return null;
      case 'compare':
        this.#shape(node.first, names);
        for (const { operand } of node.rest) this.#shape(operand, names);
        return null;
      case 'binary':
        this.#shape(node.left, names);
        this.#shape(node.right, names);
        return null;
      case 'and':
      case 'or': {
        const left = this.#shape(node.left, names);
        return this.#shape(node.right, names) === null ? null : left;
      }
      case 'conditional': {
        this.#shape(node.test, names);
        const then = this.#shape(node.then, names);
        const otherwise = node.otherwise === undefined ? null : this.#shape(node.otherwise, names);
        return otherwise === null ? null : then;
      }
      case 'slice':
        for (const part of [node.from, node.to, node.step]) if (part !== undefined) this.#shape(part, names);
        return null;
    }
  }

  #field(of: ValueShape, name: string, span: Span, asks: boolean): ValueShape {
    if (of === null || !('fields' in of) || methods.has(name)) return null;
    const found = of.fields.get(name);
    if (found === undefined && !asks)
      this.unknownFields.push({ ...spanOf(span), name, known: [...of.fields.keys()] });
    return found ?? null;
  }

  #variable({ positional, keyword, spread, keywordSpread }: Arguments): void {
    const [name, fallback] = positional;
    if (fallback !== undefined || keyword.length > 0 || spread !== undefined || keywordSpread !== undefined)
      return;
    if (name?.kind === 'constant' && typeof name.value === 'string')
      this.variables.push({ ...spanOf(name), name: name.value });
  }

  #arguments({ positional, keyword, spread, keywordSpread }: Arguments, names: Names): void {
    for (const value of positional) this.#shape(value, names);
    for (const { value } of keyword) this.#shape(value, names);
    for (const value of [spread, keywordSpread]) if (value !== undefined) this.#shape(value, names);
  }
}

function bind(target: Target, shape: ValueShape, names: Map<string, ValueShape>): void {
  if (target.kind === 'name') names.set(target.name, shape);
  else if (target.kind === 'tuple_target') for (const item of target.items) bind(item, null, names);
}

function spanOf({ start, end }: Span): Span {
  return { start, end };
}
