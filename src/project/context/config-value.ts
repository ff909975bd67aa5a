import type { JsonValue } from '../../changelog/change.ts';
import type { Location } from '../../diagnostics/diagnostic.ts';
import { segError } from '../../diagnostics/seg-error.ts';
import { didYouMean } from '../../diagnostics/suggest.ts';
import type { HostCall, Value } from '../../jinja/template-engine.ts';
import { HostObject, hostFunction } from '../../jinja/values.ts';
import { toJson } from '../../jinja/to-json.ts';
import type { JsonObject } from '../project-file.ts';
import { isObject } from '../project-file.ts';
import { namedArguments, textArgument } from './call.ts';

/** What `{{ config(...) }}` of one node said, in the order of the calls. */
export interface ConfigCall {
  readonly values: JsonObject;
  readonly at: Location;
}

/**
 * `config` inside of a template: a call sets values (it prints nothing), `get` and `require` read the merged configuration.
 * @param current the configuration as merged so far
 */
export class ConfigValue extends HostObject {
  override readonly typeName = 'Config';
  readonly calls: ConfigCall[] = [];
  readonly #current: (calls: readonly ConfigCall[]) => JsonObject;

  constructor(current: (calls: readonly ConfigCall[]) => JsonObject) {
    super();
    this.#current = current;
  }

  override names(): string[] {
    return [
      'get',
      'require',
      'set',
      'meta_get',
      'meta_require',
      'persist_relation_docs',
      'persist_column_docs',
    ];
  }

  override call(call: HostCall): Value {
    const values: JsonObject = {};
    const [first, ...more] = call.args.map(toJson);
    if (more.length > 0 || (first !== undefined && !isObject(first))) {
      throw segError('SEG235', 'config() takes keywords or one dict', {
        at: call.at,
        hint: "Write config(materialized='view').",
      });
    }
    if (isObject(first)) Object.assign(values, first);
    for (const [key, value] of call.kwargs) values[key] = toJson(value);
    this.calls.push({ values, at: call.at });
    return '';
  }

  override get(name: string): Value {
    switch (name) {
      case 'get':
        return hostFunction((call) => this.#read(call, 'get', this.#current(this.calls), false), 'get');
      case 'require':
        return hostFunction(
          (call) => this.#read(call, 'require', this.#current(this.calls), true),
          'require',
        );
      case 'meta_get':
        return hostFunction((call) => this.#read(call, name, this.#meta(), false), name);
      case 'meta_require':
        return hostFunction((call) => this.#read(call, name, this.#meta(), true), name);
      case 'set':
        return hostFunction((call) => {
          const args = namedArguments(call, 'set', ['name', 'value']);
          const values = { [textArgument(call, 'set', args, 'name')]: toJson(args.get('value')) };
          this.calls.push({ values, at: call.at });
          return '';
        }, 'set');
      case 'persist_relation_docs':
      case 'persist_column_docs':
        return hostFunction(() => {
          const docs = this.#current(this.calls).persist_docs;
          return isObject(docs) && docs[name === 'persist_relation_docs' ? 'relation' : 'columns'] === true;
        }, name);
      default:
        return undefined;
    }
  }

  #meta(): JsonObject {
    const { meta } = this.#current(this.calls);
    return isObject(meta) ? meta : {};
  }

  #read(call: HostCall, name: string, values: JsonObject, required: boolean): Value {
    const args = namedArguments(call, `config.${name}`, ['name', 'default', 'validator']);
    const key = textArgument(call, `config.${name}`, args, 'name');
    const value: JsonValue | undefined = Object.hasOwn(values, key) ? values[key] : undefined;
    if (value !== undefined && (value !== null || !args.has('default'))) return value;
    if (!required) return args.get('default') ?? null;
    throw segError('SEG236', `missing configuration "${key}"`, {
      at: call.at,
      hint: didYouMean(key, Object.keys(values)) ?? `Add config(${key}=...) to the model.`,
    });
  }
}
