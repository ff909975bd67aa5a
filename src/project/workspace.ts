import path from 'node:path';
import type { JsonValue } from '../changelog/change.ts';
import type { Location } from '../diagnostics/diagnostic.ts';
import type { TemplateEnvironment } from '../jinja/environment.ts';
import type { Collector } from './collector.ts';
import { baseContext } from './context/base-context.ts';
import type { Invocation } from './context/base-context.ts';
import { readText } from './files.ts';
import type { FoundFile } from './files.ts';
import { toJson } from '../jinja/to-json.ts';
import type { MacroNode } from './nodes.ts';
import type { Package } from './package.ts';
import type { Target } from './profiles.ts';
import { Vars } from './vars.ts';

/** What the steps of loading share. */
export interface Workspace {
  readonly root: string;
  readonly rootPackage: Package;
  /** By name, the root project first. */
  readonly packages: ReadonlyMap<string, Package>;
  readonly target: Target;
  readonly invocation: Invocation;
  readonly jinja: TemplateEnvironment;
  readonly collector: Collector;
  /** Text of every file read, by its name relative to the root. */
  readonly files: Map<string, string>;
  readonly vars: ReadonlyMap<string, Vars>;
  /** `{% docs %}` blocks by name. */
  readonly docs: Map<string, { text: string; packageName: string; file: string }>;
  /** By unique_id, built-in ones too. */
  readonly macros: Map<string, MacroNode>;
}

/** Reads a file of a package once and remembers it under its name seen from the root. */
export function readPackageFile(
  workspace: Workspace,
  owner: Package,
  found: FoundFile,
): { file: string; text: string } {
  const file = `${owner.prefix}${found.file}`;
  let text = workspace.files.get(file);
  if (text === undefined) {
    text = readText(found.absolute);
    workspace.files.set(file, text);
  }
  return { file, text };
}

export function varsOf(workspace: Workspace, packageName: string): Vars {
  return workspace.vars.get(packageName) ?? new Vars({});
}

/** Renders a template in a YAML value of a package, to a number, boolean, list ... where it is one (dbt's native form). */
export function renderYamlText(
  workspace: Workspace,
  owner: Package,
  file: string,
  text: string,
  at: Location,
): JsonValue {
  const globals = baseContext(workspace.invocation, {
    vars: varsOf(workspace, owner.name),
    user: file,
    target: workspace.target,
    projectName: owner.name,
  });
  return toJson(workspace.jinja.renderNative(file, text, globals, at));
}

/** The absolute path of a file named relative to the root. */
export function absolutePath(workspace: Pick<Workspace, 'root'>, file: string): string {
  return path.resolve(workspace.root, file);
}

/** True when the root project has a macro of its own in the place of a built-in one. */
export function projectOverrides(workspace: Workspace, macro: string): boolean {
  return workspace.macros.has(`macro.${workspace.rootPackage.name}.${macro}`);
}
