/** The template engine as the rest of seg uses it. */
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { SourceMap } from '../diagnostics/source-map.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { Definition, MacroStatement, Statement, Template } from './ast.ts';
import { builtinGlobals } from './builtin-globals.ts';
import { dbtContext } from './dbt-context.ts';
import type { GlobalNames } from './evaluator.ts';
import { Macro } from './macro.ts';
import { MacroRegistry } from './macro-registry.ts';
import { nativeValue } from './native.ts';
import { OutputBuffer } from './output-buffer.ts';
import { parseTemplate } from './parser.ts';
import { str } from './print.ts';
import { Renderer } from './renderer.ts';
import { Scope } from './scope.ts';
import { bind, signature } from './signature.ts';
import type { HostCall, MacroDefinition, Rendered, Value } from './template-engine.ts';
import { OffsetSource, TemplateSource } from './template-source.ts';
import { hostFunction, HostObject, hostObject } from './values.ts';

export interface EnvironmentOptions {
  /** Globals of every render; a render's own win. dbtContext() of dbt-context.ts is always there underneath. */
  readonly extraGlobals?: Record<string, Value>;
  /** The project's package: its macros override other packages' and built-in ones. */
  readonly projectName?: string;
  /** Packages whose macros anything else overrides. Default `['seg', 'dbt']`. */
  readonly builtinPackages?: readonly string[];
  /** What `adapter.dispatch` tries before `default__`, nearest first: the target's type and its relatives. */
  readonly adapter?: keyof typeof ADAPTER_PREFIXES;
}

/** A render's result, with the macros it called. */
export interface RenderedTemplate extends Rendered {
  /** `macro.<package>.<name>`, in order of the first call, for depends_on. */
  readonly macros: readonly string[];
}

const ADAPTER_PREFIXES = {
  pglite: ['pglite', 'postgres', 'default'],
  postgres: ['postgres', 'default'],
  risingwave: ['risingwave', 'postgres', 'default'],
  materialize: ['materialize', 'postgres', 'default'],
} as const;

export class TemplateEnvironment {
  readonly #registry: MacroRegistry;
  readonly #globals: ReadonlyMap<string, Value>;
  readonly #prefixes: readonly string[];
  readonly #projectName: string;
  readonly #parsed = new Map<string, { readonly source: TemplateSource; readonly template: Template }>();
  readonly #macroSources = new Map<string, string>();

  constructor(options: EnvironmentOptions = {}) {
    this.#registry = new MacroRegistry(options.projectName, options.builtinPackages ?? ['seg', 'dbt']);
    this.#globals = new Map([
      ...builtinGlobals,
      ...Object.entries({ ...dbtContext(), ...options.extraGlobals }),
    ]);
    this.#prefixes = ADAPTER_PREFIXES[options.adapter ?? 'pglite'];
    this.#projectName = options.projectName ?? '';
  }

  /**
   * Parses a macro file and registers its macros for every later render; a file given again replaces its earlier self.
   * A test `t` is registered as the macro `test_t`, a materialization `m` as `materialization_m_<adapter>`, as in dbt.
   * Everything else in the file is ignored. Throws SegError (SEG201-205, SEG223) with the place.
   */
  addMacroFile(file: string, source: string, packageName: string): MacroDefinition[] {
    const { source: text, template } = this.#parse(file, source);
    this.#registry.removeFile(packageName, file);
    this.#macroSources.set(file, source);
    const found: MacroDefinition[] = [];
    for (const node of definitionsIn(template.body)) {
      found.push(describe(node, text));
      if (node.kind === 'docs' || node.kind === 'snapshot') continue;
      const name = macroName(node);
      const scope = new Scope(undefined, packageName);
      const uniqueId = `macro.${packageName}.${name}`;
      this.#registry.add(
        packageName,
        new Macro({ name, uniqueId, source: text, node, scope, lexicalVia: undefined }),
      );
    }
    return found;
  }

  /**
   * Renders SQL text. Throws SegError (SEG2xx, or what a function of the host threw) with the place.
   * @param overrides win over everything, macros too: what a unit test replaces, by bare name
   */
  render(
    file: string,
    source: string,
    globals: Record<string, Value>,
    overrides: Readonly<Record<string, Value>> = {},
  ): RenderedTemplate {
    const { source: text, template } = this.#parse(file, source);
    const renderer = new Renderer(text, this.#names(globals, overrides));
    const out = new OutputBuffer();
    renderer.guarded(() => renderer.run(template.body, new Scope(undefined, this.#projectName), out));
    return this.#rendered(out, renderer, text);
  }

  /**
   * Renders a YAML value as dbt does: a lone expression keeps its type (`{{ 1 + 1 }}` is 2), anything else is text.
   * @param at where the value stands in its file; errors point there
   */
  renderNative(file: string, source: string, globals: Record<string, Value>, at?: Location): Value {
    if (!source.includes('{')) return source;
    const text = at === undefined ? new TemplateSource(file, source) : new OffsetSource(at, source);
    const template = parseTemplate(text);
    const renderer = new Renderer(text, this.#names(globals), { native: true });
    return renderer.guarded(() => {
      const out = new OutputBuffer({ native: true });
      renderer.run(template.body, new Scope(undefined, this.#projectName), out);
      return nativeValue(out.values!, out.text);
    });
  }

  hasMacro(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  /**
   * Calls a registered macro by name, `name` or `package.name`. `value` is what the macro returned, else its text.
   * Throws SegError SEG224 when there is none.
   */
  callMacro(
    name: string,
    args: readonly Value[],
    kwargs: Readonly<Record<string, Value>>,
    globals: Record<string, Value>,
  ): RenderedTemplate & { value: Value } {
    const macro = this.#find(name);
    if (macro === undefined) {
      throw segError('SEG224', `unknown macro "${name}"`, {
        hint:
          didYouMean(name, this.#registry.names()) ?? 'Macros are defined in the files of the folder macros.',
      });
    }
    const renderer = new Renderer(macro.source, this.#names(globals));
    const out = new OutputBuffer();
    const value = renderer.guarded(() =>
      renderer.runMacro(macro, args, new Map(Object.entries(kwargs)), out),
    );
    return { ...this.#rendered(out, renderer, macro.source), value };
  }

  #find(name: string): Macro | undefined {
    const dot = name.indexOf('.');
    if (dot === -1) return this.#registry.find(name, this.#projectName);
    const found = this.#registry.namespace(name.slice(0, dot))?.get(name.slice(dot + 1));
    return found instanceof Macro ? found : undefined;
  }

  #parse(file: string, text: string): { source: TemplateSource; template: Template } {
    const known = this.#parsed.get(file);
    if (known?.source.text === text) return known;
    const source = new TemplateSource(file, text);
    const parsed = { source, template: parseTemplate(source) };
    this.#parsed.set(file, parsed);
    return parsed;
  }

  #rendered(out: OutputBuffer, renderer: Renderer, source: TemplateSource): RenderedTemplate {
    const sources = new Map([[source.file, source.text]]);
    for (const { file } of out.segments) {
      const text = sources.has(file) ? undefined : this.#macroSources.get(file);
      if (text !== undefined) sources.set(file, text);
    }
    return { text: out.text, map: new SourceMap(out.segments, sources), macros: [...renderer.touched] };
  }

  /** Names outside of a template: macros first (a project may override `ref`, as in dbt), then globals. */
  #names(globals: Record<string, Value>, overrides: Readonly<Record<string, Value>> = {}): GlobalNames {
    const registry = this.#registry;
    const adapter = this.#adapter(globals['adapter']);
    return {
      lookUp: (name, packageName) => {
        if (Object.hasOwn(overrides, name)) return overrides[name];
        const macro = registry.find(name, packageName);
        if (macro !== undefined) return macro;
        if (name === 'adapter') return adapter;
        if (Object.hasOwn(globals, name)) return globals[name] ?? null;
        if (name === 'dispatch') return adapter.get('dispatch');
        return this.#globals.get(name) ?? registry.namespace(name);
      },
      names: () => [...registry.names(), ...Object.keys(globals), ...this.#globals.keys(), 'adapter'],
    };
  }

  /** The host's `adapter` (if any) with `dispatch` added. */
  #adapter(host: Value): HostObject {
    const declared = signature('macro_name macro_namespace=None');
    const dispatch = hostFunction(({ args, kwargs }: HostCall) => {
      const [name, namespace] = bind('dispatch()', declared, args, kwargs).values;
      const within = namespace === null ? undefined : str(namespace);
      return this.#registry.dispatch(str(name), within, this.#prefixes, this.#projectName);
    }, 'dispatch');
    const get = (name: string): Value => {
      if (name === 'dispatch') return dispatch;
      if (host instanceof HostObject) return host.get(name);
      return undefined;
    };
    return hostObject({ typeName: 'adapter', get });
  }
}

/** Macros and dbt's definitions at the top of a file. */
function definitionsIn(body: readonly Statement[]): (MacroStatement | Definition)[] {
  return body.filter(
    (node): node is MacroStatement | Definition =>
      node.kind === 'macro' ||
      node.kind === 'test_definition' ||
      node.kind === 'materialization' ||
      node.kind === 'docs' ||
      node.kind === 'snapshot',
  );
}

function macroName(node: MacroStatement | Definition): string {
  if (node.kind === 'test_definition') return `test_${node.name}`;
  return node.kind === 'materialization' ? `materialization_${node.name}_${node.adapter}` : node.name;
}

function describe(node: MacroStatement | Definition, source: TemplateSource): MacroDefinition {
  return {
    name: node.name,
    kind: node.kind === 'test_definition' ? 'test' : node.kind,
    parameters: node.parameters.map((parameter) => parameter.name),
    at: source.locate(node.head),
    source: source.text.slice(node.start, node.end),
    ...(node.kind === 'docs' ? { text: node.text } : {}),
  };
}
