import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import type { SourceMap } from '../diagnostics/source-map.ts';
import type { Dag } from '../graph/dag.ts';
import { TemplateEnvironment } from '../jinja/environment.ts';
import type { Rendered, Value } from '../jinja/template-engine.ts';
import { parseRowJson } from '../jinja/python/json.ts';
import { toExactJson, toJson } from '../jinja/to-json.ts';
import { stringifyJson } from '../json/exact-json.ts';
import type { ExactJson } from '../json/exact-json.ts';
import { loadSqlParser } from '../sql/parse.ts';
import { version } from '../version.ts';
import { buildManifest } from './build-manifest.ts';
import { Collector } from './collector.ts';
import { Compiler } from './compile.ts';
import type { InlineResult, RenderOverrides } from './compile.ts';
import { baseContext, newInvocation } from './context/base-context.ts';
import type { Invocation } from './context/base-context.ts';
import { projectContext } from './context/node-context.ts';
import { setting } from './environment-variables.ts';
import type { Env } from './environment-variables.ts';
import { isDirectory } from './files.ts';
import { buildGraph, checkRelations, everyNode, linkNodes } from './link.ts';
import { builtinPackages, linkMacros, registerBuiltinMacros, registerMacros } from './macros.ts';
import type { Manifest } from './manifest.ts';
import type { RelationNode } from './nodes.ts';
import { buildNodes, readAllProperties, readDocs } from './nodes-of-project.ts';
import { readPackage } from './package.ts';
import type { Package } from './package.ts';
import { loadTarget } from './profiles.ts';
import type { Target, TargetType } from './profiles.ts';
import { findProjectFile, readProjectFile } from './project-file.ts';
import type { RawProjectFile } from './project-file.ts';
import { renderTree } from './render-tree.ts';
import { checkSinkSql } from './check-sink-sql.ts';
import { readSelectors } from './selectors-file.ts';
import type { SelectorsFile } from './selectors-file.ts';
import { packageVars, Vars } from './vars.ts';
import type { Workspace } from './workspace.ts';
import { queryForEngine, writeForEngine } from './write-for-engine.ts';

export type { Target } from './profiles.ts';

export interface LoadOptions {
  /** Where the search for the project file begins. */
  projectDir: string;
  profilesDir?: string;
  profile?: string;
  target?: string;
  /** Compile as if the target were of this engine; such a project cannot connect to its target. */
  engine?: TargetType;
  /** `--vars` */
  vars?: Record<string, JsonValue>;
  /** Nothing is read from the process itself. */
  env?: Env;
  targetPath?: string;
  threads?: number;
  /** What templates say by `log()` and `print()`; `toConsole` for print and log(info=true). */
  onLog?: (message: string, toConsole: boolean) => void;
}

/** A project after loading: every node known and compiled. */
export interface Project {
  readonly root: string;
  readonly name: string;
  /** Absolute. */
  readonly targetPath: string;
  readonly target: Target;
  readonly profilesFile: string;
  readonly manifest: Manifest;
  readonly graph: Dag;
  /** unique_id → map of its compiled_code to the templates. */
  readonly sourceMaps: ReadonlyMap<string, SourceMap>;
  /** Project file → text, for showing lines under messages. */
  readonly files: ReadonlyMap<string, string>;
  readonly warnings: readonly Diagnostic[];
  readonly vars: Readonly<Record<string, JsonValue>>;
  readonly selectorsFile: SelectorsFile | null;
  readonly onRunStart: readonly string[];
  readonly onRunEnd: readonly string[];
  readonly cleanTargets: readonly string[];
  readonly packagesPath: string;
  readonly invocation: Pick<Invocation, 'id' | 'startedAt' | 'env'>;
  /**
   * Renders SQL in the project's context (`show --inline`, hooks, scenario steps). Throws SegError.
   * @param about the node a hook belongs to: `{{ this }}` and `{{ model }}` stand for it
   */
  renderInline(sql: string, file?: string, about?: RelationNode): InlineResult;
  /** Renders a model or test anew with other relations, variables, macros (unit tests). Throws SegError. */
  renderNode(uniqueId: string, overrides?: RenderOverrides): Rendered;
  /** Calls a macro by name (`run-operation`). Throws SegError. */
  callMacro(name: string, args: Record<string, JsonValue>): { text: string; value: JsonValue };
  /**
   * Renders one text of a sink's settings, natively (`{{ 1 + 1 }}` is a number), with `values` as further names. Throws SegError.
   * @param options.secrets whether `env_var` may read variables that hold secrets: the answer must not reach an artifact
   */
  renderTemplate(text: string, options: TemplateOptions): JsonValue;
  /** A template over a record, whose values it sees by these names; numbers keep their digits. */
  renderRecord(
    text: string,
    values: Readonly<Record<string, ExactJson>>,
    options: TemplateOptions,
  ): ExactJson;
}

export interface TemplateOptions {
  /** For messages. */
  readonly file: string;
  readonly at?: Location;
  readonly packageName?: string;
  readonly secrets?: boolean;
}

/**
 * Loads a project: files, YAML, templates, graph, compiled SQL. Reads no database and prints nothing.
 * Throws SegError with all mistakes of the first stage that has any: project file and profile, YAML, templates and references,
 * the graph, compiled SQL.
 */
export async function loadProject(options: LoadOptions): Promise<Project> {
  const sqlParser = loadSqlParser();
  const env = options.env ?? {};
  const collector = new Collector();
  const raw = findProjectFile(options.projectDir);
  const { root } = raw;
  const cliVars = options.vars ?? {};
  const invocation = newInvocation({
    env,
    startedAt: new Date(),
    segVersion: version,
    onLog: options.onLog ?? (() => undefined),
    onWarning: (warning) => collector.add([warning]),
  });

  // Before the target is known, templates see env_var and --vars only, as in dbt.
  const early = new TemplateEnvironment();
  const earlyGlobals = (secrets: boolean) =>
    baseContext(invocation, { vars: new Vars(cliVars), user: 'the project file', secrets });
  const profileName =
    options.profile ?? setting(env, 'PROFILE') ?? readProfileName(raw, early, earlyGlobals(false));
  const {
    target,
    file: profilesFile,
    warnings,
  } = loadTarget({
    ...(options.profilesDir === undefined ? {} : { profilesDir: options.profilesDir }),
    folders: [path.resolve(options.projectDir), root],
    profile: profileName,
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    env,
    render: (file, text, at) => toJson(early.renderNative(file, text, earlyGlobals(true), at)),
  });
  collector.add(warnings);

  const files = new Map<string, string>([[raw.file, raw.text]]);
  files.set(profilesFile.file, profilesFile.text);
  const settingsGlobals = baseContext(invocation, {
    vars: new Vars(cliVars),
    user: 'the project file',
    target,
  });
  const read = (from: RawProjectFile, prefix: string): Package =>
    readPackage(
      from,
      prefix,
      (file, text, at) => toJson(early.renderNative(file, text, settingsGlobals, at)),
      collector,
    );
  const rootPackage = read(raw, '');
  collector.throwIfErrors();
  const packages = new Map([[rootPackage.name, rootPackage]]);
  for (const installed of readInstalledPackages(root, rootPackage, read, files))
    packages.set(installed.name, installed);
  collector.throwIfErrors();

  const names = new Set(packages.keys());
  const rootVars = { name: rootPackage.name, vars: rootPackage.vars };
  const vars = new Map(
    [...packages].map(([name, each]) => [name, packageVars(name, rootVars, each.vars, names, cliVars)]),
  );
  const workspace: Workspace = {
    root,
    rootPackage,
    packages,
    target,
    invocation,
    jinja: new TemplateEnvironment({
      projectName: rootPackage.name,
      adapter: target.type,
      extraGlobals: projectContext(invocation, target, vars.get(rootPackage.name)!),
      builtinPackages: builtinPackages.filter((name) => !packages.has(name)),
    }),
    collector,
    files,
    vars,
    docs: new Map(),
    macros: new Map(),
  };
  registerBuiltinMacros(workspace);
  for (const owner of packages.values()) registerMacros(workspace, owner);
  linkMacros(workspace);
  readDocs(workspace);
  const selectorsFile = readSelectors(workspace);
  const properties = readAllProperties(workspace);
  collector.throwIfErrors();

  const nodes = buildNodes(workspace, properties);
  const lookup = linkNodes(workspace, nodes);
  checkRelations(workspace, nodes);
  warnUnusedFolders(
    workspace,
    [...everyNode(nodes).values()].map(({ resource_type, fqn }) => ({ resource_type, fqn })),
  );
  collector.throwIfErrors();
  const graph = buildGraph(nodes);

  const manifest = buildManifest(workspace, nodes, graph, lookup, selectorsFile?.definitions ?? {});
  await sqlParser;
  const compiler = new Compiler(workspace, lookup, nodes.drafts, () => ({
    nodes: manifest.nodes as unknown as JsonValue,
    sources: manifest.sources as unknown as JsonValue,
    exposures: manifest.exposures,
  }));
  const sourceMaps = compiler.compileAll(graph.order());
  checkSinkSql(workspace, nodes);
  collector.throwIfErrors();
  writeForEngine(manifest, sourceMaps, target);

  return {
    root,
    name: rootPackage.name,
    targetPath: path.resolve(
      root,
      options.targetPath ?? setting(env, 'TARGET_PATH') ?? rootPackage.targetPath,
    ),
    target,
    profilesFile: profilesFile.file,
    manifest,
    graph,
    sourceMaps,
    files,
    warnings: collector.warnings,
    vars: vars.get(rootPackage.name)!.values,
    selectorsFile,
    onRunStart: rootPackage.onRunStart,
    onRunEnd: rootPackage.onRunEnd,
    cleanTargets: rootPackage.cleanTargets,
    packagesPath: rootPackage.packagesPath,
    invocation,
    renderInline: (sql, file = 'inline query', about) =>
      queryForEngine(compiler.renderInline(sql, file, about), target),
    renderNode: (uniqueId, overrides = {}) => compiler.renderNode(uniqueId, overrides),
    callMacro: (name, args) => compiler.callMacro(name, args),
    renderTemplate: (text, options) => toJson(renderNative(text, options)),
    renderRecord: (text, values, options) =>
      toExactJson(
        renderNative(
          text,
          options,
          Object.entries(values).map(([name, value]) => [name, parseRowJson(stringifyJson(value))]),
        ),
      ),
  };

  function renderNative(
    text: string,
    { file, at, packageName, secrets = false }: TemplateOptions,
    values: (readonly [string, Value])[] = [],
  ): Value {
    const globals = baseContext(invocation, {
      vars: vars.get(packageName ?? rootPackage.name)!,
      user: file,
      target,
      projectName: rootPackage.name,
      secrets,
    });
    return workspace.jinja.renderNative(file, text, { ...globals, ...Object.fromEntries(values) }, at);
  }
}

function readProfileName(
  raw: RawProjectFile,
  jinja: TemplateEnvironment,
  globals: ReturnType<typeof baseContext>,
): string {
  const written = raw.values.profile ?? (raw.file === 'package.json' ? raw.values.name : undefined);
  const rendered =
    written === undefined
      ? undefined
      : renderTree(written, (text, at) =>
          toJson(jinja.renderNative(raw.file, text, globals, raw.at(['profile', ...at]))),
        );
  if (typeof rendered === 'string' && rendered !== '') return rendered;
  throw segError('SEG856', 'the project file names no profile', {
    at: raw.at(rendered === undefined ? [] : ['profile']),
    hint: 'Add "profile:", the name of an entry in profiles.yml.',
  });
}

/** Packages under `dbt_packages/`: every folder there that has a project file. */
function readInstalledPackages(
  root: string,
  rootPackage: Package,
  read: (raw: RawProjectFile, prefix: string) => Package,
  files: Map<string, string>,
): Package[] {
  const folder = path.join(root, rootPackage.packagesPath);
  if (!isDirectory(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && isDirectory(path.join(folder, entry.name)))
    .map((entry) => entry.name)
    .sort()
    .flatMap((name) => {
      const prefix = `${rootPackage.packagesPath.replace(/\/+$/, '')}/${name}/`;
      const raw = readProjectFile(path.join(folder, name));
      if (raw === undefined) return [];
      files.set(`${prefix}${raw.file}`, raw.text);
      return [read(raw, prefix)];
    });
}

function warnUnusedFolders(
  workspace: Workspace,
  nodes: readonly { resource_type: string; fqn: string[] }[],
): void {
  for (const [kind, config] of Object.entries(workspace.rootPackage.configs)) {
    // A misspelt folder for a kind the project has nothing of yet is no mistake worth a line.
    const fqns = nodes.filter(({ resource_type }) => resource_type === kind).map(({ fqn }) => fqn);
    if (kind !== 'exposure') workspace.collector.add(config.unused(fqns));
  }
}
