/** Ajv's errors as diagnostics with a place in the YAML file and the nearest right name. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { YamlPath } from './scenario.ts';

const ajv = new Ajv({ allErrors: true, verbose: true, strict: false });

export function compileSchema(schema: object): ValidateFunction {
  return ajv.compile(schema);
}

/**
 * @param what what is checked, for the messages: `scenario`
 * @param at finds the place of a path below the checked value; `key` asks for the key itself
 */
export function schemaDiagnostics(
  validate: ValidateFunction,
  value: JsonValue,
  code: string,
  at: (path: YamlPath, part: 'key' | 'value') => Location,
): Diagnostic[] {
  if (validate(value)) return [];
  const errors = (validate.errors ?? []).filter((error) => !isBranch(error, validate.errors ?? []));
  const found = new Map<string, Diagnostic>();
  for (const error of errors) {
    const path = pathOf(error.instancePath, value);
    const diagnostic = explain(error, path, code, at);
    const place = `${diagnostic.at?.line}:${diagnostic.at?.column}`;
    const known = found.get(place);
    // One sentence per place is enough, the most telling one.
    if (known === undefined || rank(error.keyword) > rankOf.get(known)!) {
      found.set(place, diagnostic);
      rankOf.set(diagnostic, rank(error.keyword));
    }
  }
  return [...found.values()];
}

const rankOf = new WeakMap<Diagnostic, number>();

function rank(keyword: string): number {
  return ['anyOf', 'additionalProperties', 'required'].indexOf(keyword) + 1;
}

/**
 * `anyOf` reports itself and every branch. What tells the user something is either "of none of these types" (the `anyOf`
 * itself), or, when the type fits one branch, what is wrong inside of that branch.
 */
function isBranch(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  const isType = (other: ErrorObject): boolean =>
    other.keyword === 'type' &&
    all.some((outer) => outer.keyword === 'anyOf' && outer.instancePath === other.instancePath);
  if (error.keyword !== 'anyOf') return isType(error);
  return all.some(
    (other) =>
      other.keyword !== 'anyOf' &&
      !isType(other) &&
      (other.instancePath === error.instancePath || other.instancePath.startsWith(`${error.instancePath}/`)),
  );
}

function explain(
  error: ErrorObject,
  path: YamlPath,
  code: string,
  at: (path: YamlPath, part: 'key' | 'value') => Location,
): Diagnostic {
  const params = error.params as Record<string, unknown>;
  const name = path.length === 0 ? 'a scenario' : nameOf(path);
  const base = { severity: 'error', code } as const;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      return {
        ...base,
        message: `unknown key "${key}" in ${name}`,
        at: at([...path, key], 'key'),
        hint: didYouMean(key, known) ?? `It takes the keys ${known.join(', ')}.`,
      };
    }
    case 'required':
      return {
        ...base,
        message: `${name} needs the key "${String(params['missingProperty'])}"`,
        at: at(path, 'value'),
      };
    case 'enum':
    case 'const': {
      const allowed = (params['allowedValues'] as unknown[] | undefined) ?? [params['allowedValue']];
      const list = allowed.map((item) => JSON.stringify(item)).join(' or ');
      return {
        ...base,
        message: `${name} must be ${list}, not ${JSON.stringify(error.data)}`,
        at: at(path, 'value'),
        hint: typeof error.data === 'string' ? didYouMean(error.data, allowed.map(String)) : undefined,
      };
    }
    case 'type':
      return {
        ...base,
        message: `${name} must be ${typeNames([params['type']].flat() as string[])}, not ${typeNames([typeOf(error.data)])}`,
        at: at(path, 'value'),
      };
    case 'anyOf': {
      const branches = error.schema as { type?: string | string[]; const?: unknown; enum?: unknown[] }[];
      const types = branches.flatMap((branch) => branch.type ?? []);
      return {
        ...base,
        message: `${name} must be ${typeNames([...new Set(types)])}, not ${typeNames([typeOf(error.data)])}`,
        at: at(path, 'value'),
      };
    }
    case 'minItems':
    case 'minLength':
    case 'minProperties':
      return { ...base, message: `${name} must not be empty`, at: at(path, 'value') };
    default:
      return { ...base, message: `${name} ${error.message ?? 'is invalid'}`, at: at(path, 'value') };
  }
}

/** The steps of a JSON pointer; numbers where the value there is a list. */
function pathOf(pointer: string, root: JsonValue): (string | number)[] {
  let value: JsonValue | undefined = root;
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => {
      const key = Array.isArray(value) ? Number(step) : step;
      value = (value as Record<string | number, JsonValue> | null | undefined)?.[key];
      return key;
    });
}

/** `"rejected" of step 2`, `step 3`, `row 1 of "records" of step 2`. */
function nameOf(path: YamlPath): string {
  const parts: string[] = [];
  for (let i = 0; i < path.length; i++) {
    const step = path[i]!;
    if (step === 'steps' && typeof path[i + 1] === 'number') parts.unshift(`step ${Number(path[++i]) + 1}`);
    else if (typeof step === 'number') parts.unshift(`item ${step + 1}`);
    else parts.unshift(`"${step}"`);
  }
  return parts.join(' of ');
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number' && Number.isInteger(value)) return 'integer';
  return typeof value;
}

const typeTexts: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  null: 'empty',
};

function typeNames(types: readonly string[]): string {
  const names = types.map((type) => typeTexts[type] ?? type);
  const last = names.pop() ?? 'something else';
  return names.length === 0 ? last : `${names.join(', ')} or ${last}`;
}
