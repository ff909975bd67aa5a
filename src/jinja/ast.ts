/** The tree of a template. Every node carries its offsets in the template's text. */
import type { Span } from './template-source.ts';

export type Expression =
  | Constant
  | Name
  | Sequence
  | DictDisplay
  | Unary
  | Binary
  | Concat
  | Compare
  | Logical
  | Conditional
  | GetAttribute
  | GetItem
  | SliceExpression
  | Call
  | FilterExpression
  | TestExpression;

export interface Constant extends Span {
  readonly kind: 'constant';
  readonly value: unknown;
}

export interface Name extends Span {
  readonly kind: 'name';
  readonly name: string;
}

export interface Sequence extends Span {
  readonly kind: 'list' | 'tuple';
  readonly items: readonly Expression[];
}

export interface DictDisplay extends Span {
  readonly kind: 'dict';
  readonly pairs: readonly { readonly key: Expression; readonly value: Expression }[];
}

export interface Unary extends Span {
  readonly kind: 'unary';
  readonly operator: '-' | '+' | 'not';
  readonly operand: Expression;
}

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';

export interface Binary extends Span {
  readonly kind: 'binary';
  readonly operator: ArithmeticOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** `a ~ b ~ c`. */
export interface Concat extends Span {
  readonly kind: 'concat';
  readonly parts: readonly Expression[];
}

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

/** `a < b <= c`: each operand compared with the one before it. */
export interface Compare extends Span {
  readonly kind: 'compare';
  readonly first: Expression;
  readonly rest: readonly { readonly operator: ComparisonOperator; readonly operand: Expression }[];
}

export interface Logical extends Span {
  readonly kind: 'and' | 'or';
  readonly left: Expression;
  readonly right: Expression;
}

export interface Conditional extends Span {
  readonly kind: 'conditional';
  readonly test: Expression;
  readonly then: Expression;
  readonly otherwise: Expression | undefined;
}

export interface GetAttribute extends Span {
  readonly kind: 'attribute';
  readonly object: Expression;
  readonly name: string;
  /** The name alone, for errors. */
  readonly nameSpan: Span;
}

export interface GetItem extends Span {
  readonly kind: 'item';
  readonly object: Expression;
  readonly index: Expression;
}

export interface SliceExpression extends Span {
  readonly kind: 'slice';
  readonly from: Expression | undefined;
  readonly to: Expression | undefined;
  readonly step: Expression | undefined;
}

export interface Arguments {
  readonly positional: readonly Expression[];
  readonly keyword: readonly (Span & { readonly name: string; readonly value: Expression })[];
  /** `*args` and `**kwargs`. */
  readonly spread: Expression | undefined;
  readonly keywordSpread: Expression | undefined;
}

export interface Call extends Span {
  readonly kind: 'call';
  readonly callee: Expression;
  readonly args: Arguments;
}

export interface FilterExpression extends Span {
  readonly kind: 'filter';
  readonly name: string;
  readonly nameSpan: Span;
  /** undefined for the filter of a `{% filter %}` or `{% set %}` block: it works on the block's text. */
  readonly operand: Expression | undefined;
  readonly args: Arguments;
}

export interface TestExpression extends Span {
  readonly kind: 'test';
  readonly name: string;
  readonly nameSpan: Span;
  readonly operand: Expression;
  readonly args: Arguments;
}

export type Target = Name | TupleTarget | NamespaceTarget;

export interface TupleTarget extends Span {
  readonly kind: 'tuple_target';
  readonly items: readonly Target[];
}

/** `ns.field` of `{% set ns.field = ... %}`. */
export interface NamespaceTarget extends Span {
  readonly kind: 'namespace_target';
  readonly name: string;
  readonly field: string;
}

export type Statement =
  | Text
  | Output
  | If
  | For
  | SetStatement
  | SetBlock
  | MacroStatement
  | CallBlock
  | FilterBlock
  | With
  | ScopedBody
  | Do
  | LoopControl
  | Definition;

/** Literal text; `value` equals the span's text except that a lone `\r` reads `\n`. */
export interface Text extends Span {
  readonly kind: 'text';
  readonly value: string;
}

/** `{{ value }}`; the span is the expression's, not the braces'. */
export interface Output extends Span {
  readonly kind: 'output';
  readonly value: Expression;
}

export interface If extends Span {
  readonly kind: 'if';
  readonly branches: readonly { readonly test: Expression; readonly body: readonly Statement[] }[];
  readonly otherwise: readonly Statement[];
}

export interface For extends Span {
  readonly kind: 'for';
  readonly target: Target;
  readonly iterable: Expression;
  readonly condition: Expression | undefined;
  readonly recursive: boolean;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[];
}

export interface SetStatement extends Span {
  readonly kind: 'set';
  readonly target: Target;
  readonly value: Expression;
}

export interface SetBlock extends Span {
  readonly kind: 'set_block';
  readonly target: Target;
  /** Applied to the body's text, outermost last; the innermost one's operand is undefined. */
  readonly filter: FilterExpression | undefined;
  readonly body: readonly Statement[];
}

export interface Parameter extends Span {
  readonly name: string;
  readonly fallback: Expression | undefined;
}

/** What macros and call blocks share. `uses` tells which of the implicit names the body reads. */
export interface MacroBody {
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
  readonly uses: { readonly varargs: boolean; readonly kwargs: boolean; readonly caller: boolean };
}

export interface MacroStatement extends Span, MacroBody {
  readonly kind: 'macro';
  readonly name: string;
  /** The opening tag. */
  readonly head: Span;
}

export interface CallBlock extends Span, MacroBody {
  readonly kind: 'call_block';
  readonly call: Call;
  readonly head: Span;
}

export interface FilterBlock extends Span {
  readonly kind: 'filter_block';
  readonly filter: FilterExpression;
  readonly body: readonly Statement[];
}

export interface With extends Span {
  readonly kind: 'with';
  readonly bindings: readonly { readonly target: Target; readonly value: Expression }[];
  readonly body: readonly Statement[];
}

/** `{% block name %}` and `{% autoescape false %}`: a body with a scope of its own. */
export interface ScopedBody extends Span {
  readonly kind: 'scoped';
  readonly body: readonly Statement[];
}

export interface Do extends Span {
  readonly kind: 'do';
  readonly value: Expression;
}

export interface LoopControl extends Span {
  readonly kind: 'break' | 'continue';
}

/** dbt's tags: they define something and render nothing where they stand. */
export interface Definition extends Span, MacroBody {
  readonly kind: 'test_definition' | 'materialization' | 'docs' | 'snapshot';
  readonly name: string;
  /** materialization: `default` or the adapter's name. */
  readonly adapter: string | undefined;
  /** docs: the block's text, which is not a template. */
  readonly text: string | undefined;
  readonly head: Span;
}

export interface Template extends Span {
  readonly body: readonly Statement[];
}
