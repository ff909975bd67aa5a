import { segError } from '../../diagnostics/seg-error.ts';
import type { HostCall, Value } from '../../jinja/template-engine.ts';
import { hostFunction, HostObject, hostObject } from '../../jinja/values.ts';
import { quoteIdentifier } from '../../sql/quote.ts';
import type { Env } from '../environment-variables.ts';
import { toJson } from '../../jinja/to-json.ts';
import type { Target } from '../profiles.ts';
import type { JsonObject } from '../project-file.ts';
import { RelationValue } from '../relation-value.ts';
import type { Vars } from '../vars.ts';
import { baseContext, DictLikeObject, envVarFunction, varFunction } from './base-context.ts';
import type { Invocation } from './base-context.ts';
import { namedArguments, textArgument } from './call.ts';
import type { ConfigValue } from './config-value.ts';
import { pythonStr } from '../python-text.ts';

/** Everything the template of one node can reach. */
export interface NodeScope {
  readonly packageName: string;
  readonly vars: Vars;
  /** Replaces the process's environment (unit tests). */
  readonly env?: Env;
  /** Who asks, for messages: `model "x"`. */
  readonly user: string;
  /** false while dependencies are being found, true when the final SQL is made. */
  readonly execute: boolean;
  readonly config: ConfigValue;
  readonly self: RelationValue | undefined;
  /** What `{{ model }}` gives. */
  readonly node: () => JsonObject;
  readonly graph: () => JsonObject;
  readonly ref: (call: HostCall) => Value;
  readonly source: (call: HostCall) => Value;
  readonly doc: (name: string) => string | undefined;
}

/** The globals of a node's template. Values that cost something are made when a template asks for them. */
export function nodeContext(scope: NodeScope): Record<string, Value> {
  const ref = hostFunction(scope.ref, 'ref');
  const source = hostFunction(scope.source, 'source');
  return {
    ref,
    source,
    config: scope.config,
    builtins: hostObject({ typeName: 'builtins', attributes: { ref, source, config: scope.config } }),
    this: scope.self ?? null,
    model: new LazyDict('model', scope.node),
    graph: new LazyDict('graph', scope.graph),
    execute: scope.execute,
    var: varFunction(scope.vars, scope.user),
    project_name: scope.packageName,
    doc: hostFunction((call) => docText(call, scope), 'doc'),
    ...(scope.env === undefined ? {} : { env_var: envVarFunction(scope.env, false) }),
  };
}

/** Globals that are the same for every node of a project: made once, beneath those of the node. */
export function projectContext(invocation: Invocation, target: Target, vars: Vars): Record<string, Value> {
  const needs = (name: string): Value => needsConnection(name, invocation.phase);
  return {
    ...invocation.shared,
    ...baseContext(invocation, { vars, user: 'the project', target }),
    schema: target.schema,
    database: target.database,
    schemas: [target.schema],
    flags: new DictLikeObject('flags', {
      FULL_REFRESH: false,
      WHICH: 'compile',
      STORE_FAILURES: false,
      EMPTY: false,
    }),
    api: hostObject({
      typeName: 'api',
      attributes: { Relation: relationFactory(target), Column: columnFactory },
    }),
    connection_name: hostFunction(() => target.name, 'connection_name'),
    run_query: needs('run_query'),
    statement: needs('statement'),
    load_agate_table: needs('load_agate_table'),
    load_result: hostFunction(() => null, 'load_result'),
    store_result: hostFunction(() => '', 'store_result'),
    write: hostFunction(() => '', 'write'),
    pre_hooks: [],
    post_hooks: [],
    selected_resources: [],
    invocation_args_dict: {},
    thread_id: 'main',
  };
}

/** A dict that is made when it is first looked into. */
class LazyDict extends HostObject {
  override readonly typeName: string;
  readonly #make: () => JsonObject;
  #made: DictLikeObject | undefined;

  constructor(typeName: string, make: () => JsonObject) {
    super();
    this.typeName = typeName;
    this.#make = make;
  }
  get #dict(): DictLikeObject {
    return (this.#made ??= new DictLikeObject(this.typeName, this.#make()));
  }
  override names(): string[] {
    return this.#dict.names();
  }
  override get(name: string): Value {
    return this.#dict.get(name);
  }
  override item(key: Value): Value {
    return this.#dict.item(key);
  }
  override iterate(): string[] {
    return this.names();
  }
  override print(): string {
    return this.#dict.print();
  }
}

function needsConnection(name: string, phase: Invocation['phase']): Value {
  return hostFunction((call) => {
    // dbt gives nothing while it parses; templates guard the use by `execute`.
    if (!phase.execute) return null;
    throw segError('SEG234', `${name}() is not available: seg compiles a project without a connection`, {
      at: call.at,
      hint: 'Put what the query would give into a var, a seed or a model.',
    });
  }, name);
}

function relationFactory(target: Target): Value {
  const create = hostFunction((call) => {
    const args = namedArguments(call, 'Relation.create', ['database', 'schema', 'identifier', 'type']);
    const text = (key: string, fallback: string): string => {
      const value = toJson(args.get(key));
      return typeof value === 'string' ? value : fallback;
    };
    return new RelationValue({
      database: text('database', target.database),
      schema: text('schema', ''),
      identifier: text('identifier', ''),
      type: text('type', '') || null,
    });
  }, 'create');
  return hostObject({
    typeName: 'Relation',
    attributes: { create, View: 'view', Table: 'table', CTE: 'cte', MaterializedView: 'materialized_view' },
  });
}

const columnFactory: Value = hostObject({
  typeName: 'Column',
  attributes: {
    translate_type: hostFunction((call) => call.args[0] ?? null, 'translate_type'),
    create: hostFunction((call) => {
      const args = namedArguments(call, 'Column.create', ['name', 'label_or_dtype']);
      const name = textArgument(call, 'Column.create', args, 'name');
      const type = args.get('label_or_dtype') ?? null;
      return hostObject({
        typeName: 'Column',
        attributes: { name, column: name, quoted: quoteIdentifier(name), dtype: type, data_type: type },
        print: () => name,
      });
    }, 'create'),
  },
});

function docText(call: HostCall, scope: NodeScope): string {
  const words = call.args.map(toJson);
  const name = words.at(-1);
  const text = typeof name === 'string' ? scope.doc(name) : undefined;
  if (text !== undefined) return text;
  throw segError('SEG238', `unknown docs block "${pythonStr(name)}"`, {
    at: call.at,
    hint: 'Define it in a .md file: {% docs name %} ... {% enddocs %}.',
  });
}
