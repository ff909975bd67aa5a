import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { SourceMap } from '../../diagnostics/source-map.ts';
import type { HostCall, Rendered, Value } from '../../jinja/template-engine.ts';
import { hostFunction } from '../../jinja/values.ts';
import { mergeConfig } from '../config.ts';
import type { ConfigLayer, MergedConfig } from '../config.ts';
import { ConfigValue } from '../context/config-value.ts';
import type { ConfigCall } from '../context/config-value.ts';
import { nodeContext } from '../context/node-context.ts';
import type { Env } from '../environment-variables.ts';
import { toJson } from '../../jinja/to-json.ts';
import type { ModelNode, TestNode } from '../nodes.ts';
import type { Package } from '../package.ts';
import type { JsonObject } from '../project-file.ts';
import type { RelationValue } from '../relation-value.ts';
import { renderTree } from '../render-tree.ts';
import type { Locate } from '../validate.ts';
import type { Vars } from '../vars.ts';
import { projectOverrides, varsOf } from '../workspace.ts';
import type { Workspace } from '../workspace.ts';
import { pythonStr } from '../python-text.ts';

export interface RefCall {
  readonly name: string;
  readonly package: string | null;
  readonly at: Location;
}

export interface SourceCall {
  readonly source: string;
  readonly table: string;
  readonly at: Location;
}

/** The arguments of a generic test, before Jinja, and where they stand. */
export interface TestArguments {
  readonly values: JsonObject;
  /** What the test is about, as `ref('x')` or `source('a', 'b')`. */
  readonly subject: { readonly ref: RefCall } | { readonly source: SourceCall };
  readonly at: Locate;
}

/** A model or test on its way to a finished node: its template, what it asked for, its configuration. */
export interface SqlDraft<N extends ModelNode | TestNode = ModelNode | TestNode> {
  readonly node: N;
  readonly owner: Package;
  /** The name its template has in messages and source maps. */
  readonly file: string;
  readonly layers: readonly ConfigLayer[];
  readonly config: MergedConfig;
  readonly refs: readonly RefCall[];
  readonly sourceCalls: readonly SourceCall[];
  readonly arguments?: TestArguments;
}

/** How one render of a draft differs from another. */
export interface RenderChoices {
  readonly execute: boolean;
  readonly self: RelationValue | undefined;
  readonly ref: (call: RefCall) => Value;
  readonly source: (call: SourceCall) => Value;
  readonly graph?: () => JsonObject;
  /** Render the arguments of a generic test and not its macro: enough to find what a built-in test depends on. */
  readonly argumentsOnly?: boolean;
  readonly vars?: Vars;
  readonly env?: Env;
  readonly macros?: Readonly<Record<string, JsonValue>>;
}

export type Template = Pick<SqlDraft, 'owner' | 'file' | 'layers' | 'arguments'> & {
  readonly text: string;
  /** `model "x"`, for messages. */
  readonly user: string;
  readonly node: () => JsonObject;
  /** The merged configuration, when an earlier render has found it. */
  readonly known?: MergedConfig;
};

/** Renders a node's template and tells what it configured and which macros it used. */
export function renderTemplate(
  workspace: Workspace,
  template: Template,
  choices: RenderChoices,
): { rendered: Rendered; macros: string[]; config: MergedConfig } {
  // Macros such as get_where_subquery read config in a loop; the merge is made again only after a new call.
  let known = { calls: 0, config: template.known ?? mergeConfig(template.layers) };
  const merged = (calls: readonly ConfigCall[]): MergedConfig => {
    if (template.known !== undefined || known.calls === calls.length) return known.config;
    known = { calls: calls.length, config: mergeConfig([...template.layers, ...calls.map(callLayer)]) };
    return known.config;
  };
  const config = new ConfigValue((calls) => merged(calls).values);
  workspace.invocation.phase.execute = choices.execute;
  const globals = nodeContext({
    packageName: template.owner.name,
    vars: choices.vars ?? varsOf(workspace, template.owner.name),
    ...(choices.env === undefined ? {} : { env: choices.env }),
    user: template.user,
    execute: choices.execute,
    config,
    self: choices.self,
    node: template.node,
    graph: choices.graph ?? (() => ({ nodes: {}, sources: {} })),
    ref: (call) => choices.ref(readRef(call)),
    source: (call) => choices.source(readSource(call)),
    doc: (name) => workspace.docs.get(name)?.text,
  });
  const replaced = Object.fromEntries(
    Object.entries(choices.macros ?? {}).map(([name, value]) => [
      name.slice(name.indexOf('.') + 1),
      hostFunction(() => value, name),
    ]),
  );
  if (template.arguments !== undefined) {
    const { arguments: args } = template;
    globals._dbt_generic_test_kwargs = testKeywords(workspace, template, args, globals, choices, merged([]));
    if (choices.argumentsOnly === true) return { rendered: nothing, macros: [], config: merged([]) };
  }
  const rendered = workspace.jinja.render(template.file, template.text, globals, replaced);
  return { rendered, macros: [...rendered.macros], config: merged(config.calls) };
}

const nothing: Rendered = { text: '', map: new SourceMap([], new Map()) };

function callLayer(call: ConfigCall): ConfigLayer {
  return { values: call.values, unrendered: call.values, at: () => call.at };
}

/** `ref('m')`, `ref('package', 'm')`. */
export function readRef(call: HostCall): RefCall {
  const words = call.args.map(toJson);
  const version = toJson(call.kwargs.get('v') ?? call.kwargs.get('version') ?? null);
  if (version !== null) {
    throw segError('SEG302', 'ref() with a version: seg has no model versions', {
      at: call.at,
      hint: 'Give the version a model file of its own and refer to it by name.',
    });
  }
  const [first, second] = words;
  if (words.length === 1 && typeof first === 'string') return { name: first, package: null, at: call.at };
  if (words.length === 2 && typeof first === 'string' && typeof second === 'string') {
    return { name: second, package: first, at: call.at };
  }
  throw segError('SEG302', 'ref() takes the name of a model, or of a package and a model', {
    at: call.at,
    hint: "Write ref('model') or ref('package', 'model').",
  });
}

/** `source('name', 'table')`. */
export function readSource(call: HostCall): SourceCall {
  const [source, table, ...more] = call.args.map(toJson);
  if (typeof source !== 'string' || typeof table !== 'string' || more.length > 0) {
    throw segError('SEG303', 'source() takes the names of a source and of one of its tables', {
      at: call.at,
      hint: "Write source('source', 'table').",
    });
  }
  return { source, table, at: call.at };
}

const looksLikeCall = /^\s*(?:env_var|ref|var|source|doc)\s*\(.+\)\s*$/s;

/**
 * The keyword arguments of a generic test, rendered as dbt does: `to: ref('x')` is a call although it stands without braces;
 * column names are always text. `model` is the relation, or a subquery when the test has a `where`.
 */
function testKeywords(
  workspace: Workspace,
  template: Template,
  args: TestArguments,
  globals: Record<string, Value>,
  choices: RenderChoices,
  { values: { where } }: MergedConfig,
): Value {
  const { subject } = args;
  const relation = 'ref' in subject ? choices.ref(subject.ref) : choices.source(subject.source);
  const found = new Map<Value, Value>();
  for (const [key, value] of Object.entries(args.values)) {
    if (key === 'model') continue;
    const rendered =
      typeof value === 'string' && looksLikeCall.test(value)
        ? workspace.jinja.renderNative(template.file, `{{ ${value} }}`, globals, args.at([key]))
        : renderTree(value, (text, path) => {
            const native = toJson(
              workspace.jinja.renderNative(template.file, text, globals, args.at([key, ...path])),
            );
            return key === 'column_name' ? pythonStr(native) : native;
          });
    found.set(key, rendered);
  }
  if (projectOverrides(workspace, 'get_where_subquery')) {
    const { value, text } = workspace.jinja.callMacro('get_where_subquery', [relation], {}, globals);
    found.set('model', typeof value === 'string' ? value : text.trim());
  } else if (where !== undefined && where !== null && where !== '') {
    const shown = (relation as RelationValue).print();
    found.set('model', `(select * from ${shown} where ${pythonStr(where)}) dbt_subquery`);
  } else found.set('model', relation);
  return found;
}
