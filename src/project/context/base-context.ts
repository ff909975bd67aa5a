import { randomUUID } from 'node:crypto';
import type { JsonValue } from '../../changelog/change.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { dbtContext } from '../../jinja/dbt-context.ts';
import { PyDateTime } from '../../jinja/python/datetime.ts';
import type { Value } from '../../jinja/template-engine.ts';
import { HostObject, hostFunction, hostObject } from '../../jinja/values.ts';
import { readEnvVar } from '../environment-variables.ts';
import type { Env } from '../environment-variables.ts';
import type { Target } from '../profiles.ts';
import type { Vars } from '../vars.ts';
import { jsonArgument, namedArguments, textArgument } from './call.ts';
import { pythonStr } from '../python-text.ts';

/** What is the same for every template of one invocation. */
export interface Invocation {
  readonly id: string;
  readonly startedAt: Date;
  readonly env: Env;
  readonly segVersion: string;
  /** dbt's functions that need no project: log, exceptions, fromjson ... */
  readonly shared: Record<string, Value>;
  /** Whether the render going on makes final SQL; renders are synchronous, so there is one at a time. */
  readonly phase: { execute: boolean };
}

/** Makes an invocation. Messages of `log` and `print` come only from the final render, so none comes twice. */
export function newInvocation(options: {
  env: Env;
  startedAt: Date;
  segVersion: string;
  onLog: (message: string, toConsole: boolean) => void;
  onWarning: (warning: Diagnostic) => void;
}): Invocation {
  const { env, startedAt, segVersion } = options;
  const id = randomUUID();
  const phase = { execute: false };
  const shared = dbtContext({
    runStartedAt: startedAt,
    invocationId: id,
    onLog: (message, info) => {
      if (phase.execute) options.onLog(message, info);
    },
    onPrint: (message) => {
      if (phase.execute) options.onLog(message, true);
    },
    onWarning: (warning) => {
      if (phase.execute) options.onWarning(warning);
    },
  });
  return { id, startedAt, env, segVersion, shared, phase };
}

/** Globals of YAML values and of SQL alike: `env_var`, `var`, versions and the invocation. */
export function baseContext(
  invocation: Invocation,
  options: { vars: Vars; user: string; secrets?: boolean; target?: Target; projectName?: string; env?: Env },
): Record<string, Value> {
  return {
    env_var: envVarFunction(options.env ?? invocation.env, options.secrets ?? false),
    var: varFunction(options.vars, options.user),
    dbt_version: dbtVersion,
    seg_version: invocation.segVersion,
    invocation_id: invocation.id,
    run_started_at: PyDateTime.utc(invocation.startedAt),
    ...(options.target === undefined ? {} : { target: targetValue(options.target) }),
    ...(options.projectName === undefined ? {} : { project_name: options.projectName }),
  };
}

export function envVarFunction(env: Env, secrets: boolean): Value {
  return hostFunction((call) => {
    const args = namedArguments(call, 'env_var', ['var', 'default']);
    const fallback = jsonArgument(args, 'default');
    return readEnvVar(
      env,
      textArgument(call, 'env_var', args, 'var'),
      fallback === undefined || fallback === null ? undefined : pythonStr(fallback),
      call.at,
      { secrets },
    );
  }, 'env_var');
}

/** The release of dbt whose behaviour seg follows; packages ask for it. */
export const dbtVersion = '1.11.0';

export function varFunction(vars: Vars, user: string): Value {
  return hostObject({
    typeName: 'Var',
    call: (call) => {
      const args = namedArguments(call, 'var', ['name', 'default']);
      return vars.get(textArgument(call, 'var', args, 'name'), jsonArgument(args, 'default'), call.at, user);
    },
    attributes: {
      has_var: hostFunction(
        (call) => vars.has(textArgument(call, 'has_var', namedArguments(call, 'has_var', ['name']), 'name')),
        'has_var',
      ),
    },
  });
}

/** Fields that never reach a template: a password in compiled SQL would be written to disk. */
const hiddenFields = new Set(['password', 'pass']);

/** The schema that seg keeps its own state in. */
export function stateSchema(target: Target): string {
  const named = target.fields.state_schema;
  return typeof named === 'string' ? named : '_seg';
}

export function targetFields(target: Target): Record<string, JsonValue> {
  const fields = Object.fromEntries(Object.entries(target.fields).filter(([key]) => !hiddenFields.has(key)));
  return {
    ...fields,
    name: target.name,
    target_name: target.name,
    profile_name: target.profileName,
    type: target.type,
    schema: target.schema,
    database: target.database,
    dbname: target.database,
    threads: target.threads,
    state_schema: stateSchema(target),
  };
}

const targetValues = new WeakMap<Target, Value>();

function targetValue(target: Target): Value {
  let value = targetValues.get(target);
  if (value === undefined) {
    value = new DictLikeObject('target', targetFields(target));
    targetValues.set(target, value);
  }
  return value;
}

/** A dict whose keys are attributes too, as dbt's `target` and `flags` are. */
export class DictLikeObject extends HostObject {
  override readonly typeName: string;
  readonly #fields: Record<string, Value>;

  constructor(typeName: string, fields: Record<string, Value>) {
    super();
    this.typeName = typeName;
    this.#fields = fields;
  }
  override names(): string[] {
    return Object.keys(this.#fields);
  }
  override item(key: Value): Value {
    return typeof key === 'string' && Object.hasOwn(this.#fields, key) ? this.#fields[key] : undefined;
  }
  override get(name: string): Value {
    if (name === 'get') {
      return hostFunction((call) => {
        const args = namedArguments(call, 'get', ['key', 'default']);
        return this.item(args.get('key')) ?? args.get('default') ?? null;
      }, 'get');
    }
    return this.item(name);
  }
  override iterate(): string[] {
    return this.names();
  }
  override print(): string {
    return JSON.stringify(this.#fields);
  }
}
