import type { MacroFrame } from '../diagnostics/source-map.ts';
import type { MacroBody } from './ast.ts';
import type { Scope } from './scope.ts';
import { bind } from './signature.ts';
import type { Value } from './template-engine.ts';
import type { Span, TemplateSource } from './template-source.ts';
import { Fault, HostObject, PyTuple, Undefined } from './values.ts';

/** A macro as a value: a macro file's, one defined in the template, or the `caller` of a call block. */
export class Macro {
  readonly pythonType = 'Macro';
  readonly name: string;
  /** `macro.pkg.name` for macros of macro files; undefined for local ones. */
  readonly uniqueId: string | undefined;
  readonly source: TemplateSource;
  readonly node: MacroBody & { readonly head: Span };
  /** The scope it was defined in. */
  readonly scope: Scope;
  /** For a call block: the calls around the block. Its text stands where the block stands. */
  readonly lexicalVia: readonly MacroFrame[] | undefined;

  constructor(parts: Pick<Macro, 'name' | 'uniqueId' | 'source' | 'node' | 'scope' | 'lexicalVia'>) {
    this.name = parts.name;
    this.uniqueId = parts.uniqueId;
    this.source = parts.source;
    this.node = parts.node;
    this.scope = parts.scope;
    this.lexicalVia = parts.lexicalVia;
  }

  attribute(name: string): Value {
    switch (name) {
      case 'name':
        return this.name;
      case 'arguments':
        return new PyTuple(this.node.parameters.map((parameter) => parameter.name));
      case 'catch_kwargs':
        return this.node.uses.kwargs;
      case 'catch_varargs':
        return this.node.uses.varargs;
      case 'caller':
        return this.node.uses.caller;
      default:
        return undefined;
    }
  }

  attributeNames(): string[] {
    return ['name', 'arguments', 'catch_kwargs', 'catch_varargs', 'caller'];
  }
}

/** A call's arguments sorted to a macro's names; `undefined` marks a parameter that takes its default. */
export interface MacroArguments {
  readonly values: readonly Value[];
  readonly varargs: Value[];
  readonly kwargs: Map<string, Value>;
  readonly caller: Value;
}

/** Throws Fault SEG213 when the arguments do not fit the macro's signature. */
export function bindMacro(
  macro: Macro,
  args: readonly Value[],
  keywords: ReadonlyMap<string, Value>,
): MacroArguments {
  const { parameters, uses } = macro.node;
  const declaresCaller = parameters.some((parameter) => parameter.name === 'caller');
  const rest = new Map(keywords);
  let caller: Value;
  if (!declaresCaller && rest.has('caller')) {
    if (!uses.caller) {
      throw new Fault(
        'SEG213',
        `macro "${macro.name}" takes no call block`,
        'A macro prints the block it is called with by {{ caller() }}.',
      );
    }
    caller = rest.get('caller');
    rest.delete('caller');
  }
  const declared = {
    parameters: parameters.map(({ name }) => ({ name, fallback: undefined, required: false })),
    varargs: uses.varargs,
    kwargs: uses.kwargs,
  };
  return { ...bind(`macro "${macro.name}"`, declared, args, rest), caller };
}

/** The macros of a package as templates see them: `dbt_utils.star(...)`. */
export class PackageNamespace extends HostObject {
  override readonly typeName = 'package';
  readonly packageName: string;
  readonly #find: (name: string) => Macro | undefined;
  readonly #names: () => Iterable<string>;

  constructor(packageName: string, find: (name: string) => Macro | undefined, names: () => Iterable<string>) {
    super();
    this.packageName = packageName;
    this.#find = find;
    this.#names = names;
  }

  override get(name: string): Value {
    return (
      this.#find(name) ??
      new Undefined(name, `package "${this.packageName}" has no macro "${name}"`, () => this.#names())
    );
  }

  override names(): Iterable<string> {
    return this.#names();
  }
}
