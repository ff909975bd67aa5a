import { didYouMean } from '../diagnostics/suggest.ts';
import type { MacroDefinition } from '../jinja/template-engine.ts';
import { crossDatabase } from './builtin-macros/cross-database.ts';
import { genericTests, utilityTests } from './builtin-macros/generic-tests.ts';
import { projectMacros } from './builtin-macros/project-macros.ts';
import { segMacros } from './builtin-macros/seg-macros.ts';
import { asList } from './config.ts';
import { findFiles, readIgnoreRules } from './files.ts';
import type { FoundFile } from './files.ts';
import type { MacroNode } from './nodes.ts';
import type { Package } from './package.ts';
import { isObject } from './project-file.ts';
import type { Property } from './properties.ts';
import { readPackageFile } from './workspace.ts';
import type { Workspace } from './workspace.ts';
import { describe } from './build/descriptions.ts';
import { objectOrEmpty, textOrNull } from './build/layers.ts';

/** Packages whose macros seg ships; a project's macro of the same name comes first. */
export const builtinPackages = ['dbt', 'seg', 'dbt_utils'] as const;

const builtinFiles: readonly { package: string; file: string; text: string }[] = [
  { package: 'dbt', file: 'builtin/generic_tests.sql', text: genericTests },
  { package: 'dbt', file: 'builtin/utility_tests.sql', text: utilityTests },
  { package: 'dbt', file: 'builtin/project.sql', text: projectMacros },
  { package: 'dbt', file: 'builtin/cross_database.sql', text: crossDatabase },
  { package: 'seg', file: 'builtin/seg.sql', text: segMacros },
  { package: 'dbt_utils', file: 'builtin/dbt_utils.sql', text: utilityTests },
];

/** Registers the macros seg ships; those of a package that is installed itself are left to it. */
export function registerBuiltinMacros(workspace: Workspace): void {
  for (const { package: owner, file, text } of builtinFiles) {
    if (workspace.packages.has(owner)) continue;
    remember(workspace, owner, file, file, workspace.jinja.addMacroFile(file, text, owner));
  }
}

/** Registers the macros of a package: its macro folders and `tests/generic/`. */
export function registerMacros(workspace: Workspace, owner: Package): void {
  const rules = readIgnoreRules(owner.root);
  const files = [
    ...findFiles(owner.root, owner.paths.macros, rules),
    ...findFiles(owner.root, owner.paths.tests, rules).filter(isGenericTestFile),
  ].filter(({ file }) => file.endsWith('.sql'));
  for (const found of files) {
    const { file, text } = readPackageFile(workspace, owner, found);
    const definitions = workspace.collector.attempt(() =>
      workspace.jinja.addMacroFile(file, text, owner.name),
    );
    remember(workspace, owner.name, found.path, found.file, definitions ?? []);
  }
}

/** `tests/generic/x.sql` holds test macros and is no test itself. */
export function isGenericTestFile(found: FoundFile): boolean {
  return found.path.startsWith('generic/');
}

function remember(
  workspace: Workspace,
  owner: string,
  path: string,
  file: string,
  definitions: readonly MacroDefinition[],
): void {
  for (const definition of definitions) {
    if (definition.kind !== 'macro' && definition.kind !== 'test') continue;
    const bare = definition.name.replace(/^test_/, '');
    const name = definition.kind === 'test' ? `test_${bare}` : definition.name;
    const unique_id = `macro.${owner}.${name}`;
    workspace.macros.set(unique_id, {
      resource_type: 'macro',
      unique_id,
      name,
      package_name: owner,
      path,
      original_file_path: file,
      macro_sql: definition.source,
      depends_on: { macros: [] },
      description: '',
      meta: {},
      arguments: definition.parameters.map((parameter) => ({ name: parameter, type: null, description: '' })),
      at: definition.at,
    });
  }
}

/** What `macros:` in YAML says about macros; a macro that is not there is a warning, as for models. */
export function describeMacros(workspace: Workspace, properties: readonly Property[]): void {
  for (const property of properties) {
    const { owner, name, values } = property;
    const macro =
      workspace.macros.get(`macro.${owner.name}.${name}`) ??
      workspace.macros.get(`macro.${owner.name}.test_${name}`);
    if (macro === undefined) {
      const names = [...workspace.macros.values()].filter(({ package_name }) => package_name === owner.name);
      workspace.collector.warn('SEG119', `properties for macro "${name}", which does not exist`, {
        at: property.at(['name']),
        hint:
          didYouMean(
            name,
            names.map((each) => each.name),
          ) ?? 'Remove them, or write the macro.',
      });
      continue;
    }
    macro.description = describe(workspace, property, values.description, ['description']);
    macro.meta = { ...objectOrEmpty(values.meta), ...objectOrEmpty(objectOrEmpty(values.config).meta) };
    for (const [index, argument] of asList(values.arguments).entries()) {
      if (!isObject(argument)) continue;
      const parameter = macro.arguments.find((each) => each.name === argument.name);
      if (parameter === undefined) continue;
      parameter.type = textOrNull(argument.type);
      parameter.description = describe(workspace, property, argument.description, [
        'arguments',
        index,
        'description',
      ]);
    }
  }
}

/**
 * Fills in which macros a macro's text mentions, by name as a call or behind `dispatch(`. Read from the text: which of them a
 * render reaches depends on its arguments, and `state:modified.macros` must not miss one.
 */
export function linkMacros(workspace: Workspace): void {
  const byName = new Map<string, MacroNode[]>();
  for (const macro of workspace.macros.values()) {
    const bare = macro.name.replace(/^[a-z_]+?__/, '');
    for (const key of new Set([macro.name, bare])) byName.set(key, [...(byName.get(key) ?? []), macro]);
  }
  for (const macro of workspace.macros.values()) {
    const found = new Set<string>();
    for (const [, called, dispatched] of macro.macro_sql.matchAll(
      /\b([A-Za-z_]\w*)\s*\(|['"]([A-Za-z_]\w*)['"]/g,
    )) {
      const name = called ?? dispatched!;
      for (const other of byName.get(name) ?? []) {
        const usable = called === undefined || other.name === name;
        const near =
          other.package_name === macro.package_name ||
          (builtinPackages as readonly string[]).includes(other.package_name);
        if (other !== macro && usable && near) found.add(other.unique_id);
      }
    }
    macro.depends_on.macros = [...found].sort();
  }
}
