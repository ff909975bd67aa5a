/** The part of dbt's context that needs no project: the host adds ref, source, config, var, target and the like. */
import { createHash } from 'node:crypto';
import { parse as parseYaml, stringify as stringifyYaml } from 'yaml';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { segError } from '../diagnostics/seg-error.ts';
import { iterate, sizeOf, tryIterate } from './iterate.ts';
import { makeSet } from './methods/collection-methods.ts';
import { str } from './print.ts';
import { datetimeModule, PyDateTime } from './python/datetime.ts';
import { itertoolsModule } from './python/itertools.ts';
import { parseJson, toJsonText } from './python/json.ts';
import { reModule } from './python/re.ts';
import { ReturnSignal } from './return-signal.ts';
import { bind, signature } from './signature.ts';
import type { HostCall, Value } from './template-engine.ts';
import { toJson } from './to-json.ts';
import { builtinFunction, Fault, fromHost, hostFunction, hostObject, PyTuple } from './values.ts';

export interface DbtContextOptions {
  /** `run_started_at`; absent = the time of the call. */
  readonly runStartedAt?: Date;
  readonly invocationId?: string;
  /** The clock of modules.datetime. */
  readonly now?: () => Date;
  /** `log(msg, info)`: info = also on the console. */
  readonly onLog?: (message: string, info: boolean, at: Location) => void;
  /** `print(msg)`. */
  readonly onPrint?: (message: string) => void;
  /** `exceptions.warn(msg)`. */
  readonly onWarning?: (warning: Diagnostic) => void;
}

type Define = (name: string, text: string, run: (values: Value[], call: HostCall) => Value) => Value;

const define: Define = (name, text, run) => {
  const declared = signature(text);
  return builtinFunction(
    (call) => run(bind(`${name}()`, declared, call.args, call.kwargs).values, call),
    name,
  );
};

/** Makes globals for TemplateEnvironment's `extraGlobals` or a render. */
export function dbtContext(options: DbtContextOptions = {}): Record<string, Value> {
  const now = options.now ?? (() => new Date());
  return {
    ...dataFunctions(),
    exceptions: exceptions(options),
    log: define('log', 'msg info=False', ([message, info], { at }) => {
      options.onLog?.(str(message), info === true, at);
      return '';
    }),
    print: define('print', 'msg', ([message]) => {
      options.onPrint?.(str(message));
      return '';
    }),
    return: define('return', 'data=None', ([data]) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- control flow, not a failure
      throw new ReturnSignal(data);
    }),
    modules: hostObject({
      typeName: 'modules',
      attributes: { datetime: datetimeModule(now), re: reModule(), itertools: itertoolsModule() },
    }),
    run_started_at: PyDateTime.utc(options.runStartedAt ?? now()),
    invocation_id: options.invocationId ?? '',
  };
}

function exceptions(options: DbtContextOptions): Value {
  const raise = (name: string, text: string, message: (values: Value[]) => string) =>
    define(name, text, (values, { at }) => {
      throw segError('SEG220', message(values), { at });
    });
  return hostObject({
    typeName: 'exceptions',
    attributes: {
      raise_compiler_error: raise('raise_compiler_error', 'msg node=None', ([message]) => str(message)),
      raise_database_error: raise('raise_database_error', 'msg node=None', ([message]) => str(message)),
      raise_fail_fast_error: raise('raise_fail_fast_error', 'msg node=None', ([message]) => str(message)),
      raise_not_implemented: raise('raise_not_implemented', 'msg', ([message]) => str(message)),
      raise_dependency_error: raise('raise_dependency_error', 'msg node=None', ([message]) => str(message)),
      missing_config: raise(
        'missing_config',
        'model name',
        ([, name]) => `required config "${str(name)}" is missing`,
      ),
      warn: define('warn', 'msg node=None', ([message], { at }) => {
        options.onWarning?.({ severity: 'warning', code: 'SEG225', message: str(message), at });
        return '';
      }),
    },
  });
}

/** Conversions that answer `default` instead of failing, as dbt's do. */
function dataFunctions(): Record<string, Value> {
  const zip = (lists: readonly Value[]): Value[] => {
    const all = lists.map((list) => Array.from(iterate(list)));
    const length = all.length === 0 ? 0 : Math.min(...all.map((list) => list.length));
    return Array.from({ length }, (_, index) => new PyTuple(all.map((list) => list[index])));
  };
  const strictZip = ({ args }: HostCall): Value => {
    if (new Set(args.map(sizeOf)).size > 1)
      throw new Fault('SEG216', 'zip_strict() needs lists of one length');
    return zip(args);
  };
  return {
    fromjson: define('fromjson', 'string default=None', ([text, fallback]) => {
      try {
        return parseJson(str(text));
      } catch (error) {
        if (error instanceof SyntaxError) return fallback;
        throw error;
      }
    }),
    tojson: define('tojson', 'value default=None sort_keys=False', ([value, fallback, sortKeys]) =>
      orElse(fallback, () => toJsonText(value, { sortKeys: sortKeys === true, indent: undefined })),
    ),
    fromyaml: define('fromyaml', 'value default=None', ([text, fallback]) => {
      try {
        return fromHost(parseYaml(str(text), { version: '1.1', intAsBigInt: false }) as Value, new Map());
      } catch {
        return fallback;
      }
    }),
    toyaml: define('toyaml', 'value default=None sort_keys=False', ([value, fallback, sortKeys]) =>
      orElse(fallback, () =>
        stringifyYaml(toJson(value), { version: '1.1', indentSeq: false, sortMapEntries: sortKeys === true }),
      ),
    ),
    set: define('set', 'value default=None', ([value, fallback]) =>
      tryIterate(value) === undefined ? fallback : makeSet(value),
    ),
    set_strict: define('set_strict', 'value', ([value]) => makeSet(value)),
    zip: hostFunction(({ args, kwargs }) => {
      if (args.some((list) => tryIterate(list) === undefined)) return kwargs.get('default') ?? null;
      return zip(args);
    }, 'zip'),
    zip_strict: hostFunction(strictZip, 'zip_strict'),
    local_md5: define('local_md5', 'value', ([value]) => createHash('md5').update(str(value)).digest('hex')),
    diff_of_two_dicts: define('diff_of_two_dicts', 'dict_a dict_b', ([a, b]) => difference(a, b)),
  };
}

function orElse(fallback: Value, run: () => Value): Value {
  try {
    return run();
  } catch (error) {
    if (error instanceof Fault) return fallback;
    throw error;
  }
}

/** Keys and list items of `a` that `b` lacks, ignoring case, as dbt compares grants. */
function difference(a: Value, b: Value): Value {
  if (!(a instanceof Map) || !(b instanceof Map))
    throw new Fault('SEG215', 'diff_of_two_dicts() needs two dicts');
  const lower = (value: Value) => str(value).toLowerCase();
  const other = new Map<string, Set<string>>();
  for (const [key, items] of b as Map<Value, Value>)
    other.set(lower(key), new Set(Array.from(iterate(items), lower)));
  const result = new Map<Value, Value>();
  for (const [key, items] of a as Map<Value, Value>) {
    const known = other.get(lower(key));
    const missing = Array.from(iterate(items)).filter(
      (item) => known === undefined || !known.has(lower(item)),
    );
    if (missing.length > 0) result.set(key, missing);
  }
  return result;
}
