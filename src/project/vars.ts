import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import { isObject } from './project-file.ts';
import type { JsonObject } from './project-file.ts';

/** The variables one package's templates see. */
export class Vars {
  readonly values: Readonly<JsonObject>;

  constructor(values: JsonObject) {
    this.values = values;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.values, name);
  }

  /** `var(name, fallback)`; throws SEG232 for a variable that has neither value nor fallback. */
  get(name: string, fallback: JsonValue | undefined, at: Location, user: string): JsonValue {
    if (this.has(name)) return this.values[name]!;
    if (fallback !== undefined) return fallback;
    throw segError('SEG232', `missing variable "${name}"`, {
      at,
      hint: `${didYouMean(name, Object.keys(this.values)) ?? ''} Set it under "vars:" in the project file, by --vars '{${name}: value}', or give a default: var('${name}', value).`.trim(),
      notes: [{ message: `Variables of ${user}: ${Object.keys(this.values).join(', ') || 'none'}.` }],
    });
  }

  with(overrides: JsonObject): Vars {
    return new Vars({ ...this.values, ...overrides });
  }
}

/**
 * dbt's precedence, strongest first: `--vars`; the root project's block for the package; the root project's own variables;
 * the package's block in its own project file; its own variables. A mapping under `vars:` counts as the block of a
 * package only when a package of that name exists.
 */
export function packageVars(
  packageName: string,
  root: { name: string; vars: JsonObject },
  own: JsonObject,
  packages: ReadonlySet<string>,
  cli: JsonObject,
): Vars {
  const globals = (vars: JsonObject): JsonObject =>
    Object.fromEntries(
      Object.entries(vars).filter(([key, value]) => !(packages.has(key) && isObject(value))),
    );
  const block = (vars: JsonObject): JsonObject => {
    const found = Object.hasOwn(vars, packageName) ? vars[packageName] : undefined;
    return isObject(found) && packages.has(packageName) ? found : {};
  };
  const foreign = packageName === root.name ? {} : { ...globals(own), ...block(own) };
  return new Vars({ ...foreign, ...globals(root.vars), ...block(root.vars), ...cli });
}
