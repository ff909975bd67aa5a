import { segError } from '../diagnostics/seg-error.ts';
import { Macro, PackageNamespace } from './macro.ts';

/** Finds macros by name with dbt's precedence. */
export class MacroRegistry {
  readonly #packages = new Map<string, Map<string, Macro>>();
  readonly #projectName: string | undefined;
  readonly #builtinPackages: ReadonlySet<string>;

  constructor(projectName: string | undefined, builtinPackages: readonly string[]) {
    this.#projectName = projectName;
    this.#builtinPackages = new Set(builtinPackages);
  }

  /** Throws SegError SEG223 when the package has another macro of this name. */
  add(packageName: string, macro: Macro): void {
    const macros = this.#packages.get(packageName) ?? new Map<string, Macro>();
    const known = macros.get(macro.name);
    if (known !== undefined) {
      throw segError('SEG223', `macro "${macro.name}" is defined twice in package "${packageName}"`, {
        at: macro.source.locate(macro.node.head),
        notes: [{ message: 'first defined here', at: known.source.locate(known.node.head) }],
        hint: 'Rename or remove one of them.',
      });
    }
    macros.set(macro.name, macro);
    this.#packages.set(packageName, macros);
  }

  /** Forgets what a file defined, so that it can be read anew. */
  removeFile(packageName: string, file: string): void {
    const macros = this.#packages.get(packageName);
    for (const [name, macro] of macros ?? []) if (macro.source.file === file) macros!.delete(name);
  }

  inPackage(packageName: string, name: string): Macro | undefined {
    return this.#packages.get(packageName)?.get(name);
  }

  /**
   * By bare name, seen from a package: that package's own macro, then the project's, then other packages', and
   * built-in ones last, so that a project overrides a built-in macro by defining one of its name.
   */
  find(name: string, from: string): Macro | undefined {
    const own = this.#builtinPackages.has(from) ? undefined : this.inPackage(from, name);
    if (own !== undefined) return own;
    const project = this.#projectName === undefined ? undefined : this.inPackage(this.#projectName, name);
    if (project !== undefined) return project;
    let builtin: Macro | undefined;
    for (const [packageName, macros] of this.#packages) {
      const macro = macros.get(name);
      if (macro === undefined) continue;
      if (!this.#builtinPackages.has(packageName)) return macro;
      builtin ??= macro;
    }
    return builtin;
  }

  /** `name` as a namespace of macros; `dbt` stands for all built-in packages. */
  namespace(name: string): PackageNamespace | undefined {
    if (name === 'dbt' && !this.#packages.has('dbt')) {
      const builtin = [...this.#packages.keys()].filter((candidate) => this.#builtinPackages.has(candidate));
      const find = (macro: string) =>
        builtin.map((each) => this.inPackage(each, macro)).find((found) => found);
      const names = () => builtin.flatMap((each) => [...this.#packages.get(each)!.keys()]);
      return builtin.length === 0 ? undefined : new PackageNamespace(name, find, names);
    }
    const macros = this.#packages.get(name);
    if (macros === undefined) return undefined;
    return new PackageNamespace(
      name,
      (macro) => macros.get(macro),
      () => macros.keys(),
    );
  }

  *names(): Generator<string> {
    for (const [packageName, macros] of this.#packages) {
      yield packageName;
      yield* macros.keys();
    }
  }

  /**
   * `adapter.dispatch(name, namespace)`: the first `<prefix>__<name>`, in the project first, then in the namespace,
   * then (without a namespace) wherever bare names are looked up.
   */
  dispatch(name: string, namespace: string | undefined, prefixes: readonly string[], from: string): Macro {
    const packages = namespace === undefined ? [undefined] : [this.#projectName, namespace];
    const tried: string[] = [];
    for (const packageName of new Set(packages)) {
      for (const prefix of prefixes) {
        const full = `${prefix}__${name}`;
        tried.push(packageName === undefined ? full : `${packageName}.${full}`);
        const macro =
          packageName === undefined
            ? this.find(full, from)
            : (this.namespace(packageName)?.get(full) as Macro | undefined);
        if (macro instanceof Macro) return macro;
      }
    }
    throw segError('SEG218', `dispatch found no macro for "${name}"`, {
      notes: [{ message: `looked for ${tried.join(', ')}` }],
      hint: `Define a macro "default__${name}".`,
    });
  }
}
