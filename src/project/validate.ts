import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import type { JsonValue } from '../changelog/change.ts';
import type { Diagnostic, Location } from '../diagnostics/diagnostic.ts';
import { didYouMean } from '../diagnostics/suggest.ts';
import type { Schema } from './schemas/schema.ts';
import type { YamlPath } from './yaml.ts';

/** Where a part of the validated value stands. */
export type Locate = (this: void, path: YamlPath, part?: 'key' | 'value') => Location;

// Types may be unions on purpose (a tag or a list of tags); `verbose` brings the schema's title and the value found.
// Compiling is most of Ajv's cost here, so its optimizer and the check of the schemas themselves (a test does it) are off.
const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: false,
  validateSchema: false,
  meta: false,
  code: { optimize: false },
});
const compiled = new WeakMap<Schema, ValidateFunction>();
const shallows = new WeakMap<Schema, Schema>();

/**
 * Checks a value against a schema. Wrong types, missing keys and wrong words are errors (SEG110..SEG112); a key the schema
 * does not know is a warning (SEG113) with the nearest known ones, because dbt accepts keys it does not act on.
 */
export function validate(
  schema: Schema,
  value: JsonValue,
  locate: Locate,
  within: readonly string[] = [],
): Diagnostic[] {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = ajv.compile(schema as object);
    compiled.set(schema, check);
  }
  if (check(value)) return [];
  return (check.errors ?? []).flatMap((error) => explain(error, value, locate, within) ?? []);
}

/**
 * As `validate`, key by key: only the schemas of keys that are there get compiled, which for a property file saves more time
 * than reading it takes.
 */
export function validateRecord(schema: Schema, value: JsonValue, locate: Locate): Diagnostic[] {
  let shallow = shallows.get(schema);
  if (shallow === undefined) {
    const properties = Object.fromEntries(Object.keys(schema.properties ?? {}).map((key) => [key, {}]));
    shallow = { ...schema, properties };
    shallows.set(schema, shallow);
  }
  const found = validate(shallow, value, locate);
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return found;
  for (const [key, part] of Object.entries(schema.properties ?? {})) {
    if (value[key] === undefined) continue;
    found.push(...validate(part, value[key], (path, which) => locate([key, ...path], which), [key]));
  }
  return found;
}

function explain(
  error: ErrorObject,
  root: JsonValue,
  locate: Locate,
  outer: readonly string[],
): Diagnostic | undefined {
  const path = pathOf(error.instancePath, root);
  const key = [...outer, ...path].findLast((step) => typeof step === 'string') ?? 'value';
  const within = (error.parentSchema as Schema | undefined)?.title ?? 'the mapping';
  const params = error.params as Record<string, unknown>;
  const at = locate(path);
  switch (error.keyword) {
    case 'required': {
      // A null mapping (`expect:` with nothing) reports its type elsewhere.
      const missing = params.missingProperty as string;
      return failure(
        'SEG111',
        `missing key "${missing}" in ${within}`,
        locate(path, 'value'),
        `Add "${missing}:".`,
      );
    }
    case 'additionalProperties': {
      const unknown = params.additionalProperty as string;
      const known = Object.keys((error.parentSchema as Schema).properties ?? {});
      return {
        severity: 'warning',
        code: 'SEG113',
        message: `unknown key "${unknown}" in ${within}`,
        at: locate([...path, unknown], 'key'),
        hint: didYouMean(unknown, known) ?? 'Nothing in seg reads it; keep keys of your own under "meta".',
      };
    }
    case 'type': {
      const wanted = [params.type].flat() as string[];
      const hint = templateHint(error.data);
      return failure(
        'SEG110',
        `wrong type for ${path.length + outer.length === 0 ? within : `"${key}"`}: expected ${describeTypes(wanted)}, found ${describeValue(error.data)}`,
        at,
        hint ?? remedy(wanted, error.data),
      );
    }
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).filter((word) => word !== null).map(String);
      const found = String(error.data);
      return failure(
        'SEG112',
        `invalid value "${found}" for "${key}"`,
        at,
        [didYouMean(found, allowed), `Allowed: ${allowed.join(', ')}.`].filter(Boolean).join(' '),
      );
    }
    case 'pattern':
      return failure('SEG112', `invalid value "${String(error.data)}" for "${key}"`, at, patternHint(key));
    case 'minimum':
      return failure('SEG112', `"${key}" is less than ${String(params.limit)}`, at);
    case 'minLength':
      return failure('SEG112', `"${key}" is empty`, at);
    default:
      return failure('SEG112', `"${key}" ${error.message ?? 'is not valid'}`, at);
  }
}

function failure(code: string, message: string, at: Location, hint?: string): Diagnostic {
  return { severity: 'error', code, message, at, ...(hint === undefined ? {} : { hint }) };
}

/** A JSON pointer as a path; an index is a number where the value it points into is a list. */
function pathOf(pointer: string, root: JsonValue): (string | number)[] {
  const path: (string | number)[] = [];
  let at: JsonValue | undefined = root;
  for (const escaped of pointer.split('/').slice(1)) {
    const step = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) {
      path.push(Number(step));
      at = at[Number(step)];
    } else {
      path.push(step);
      at = at !== null && typeof at === 'object' ? at[step] : undefined;
    }
  }
  return path;
}

const typeNames: Record<string, string> = {
  string: 'text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  array: 'a list',
};

function describeTypes(types: readonly string[]): string {
  const named = types.filter((type) => type !== 'null').map((type) => typeNames[type] ?? type);
  const last = named.pop() ?? 'nothing';
  return named.length > 0 ? `${named.join(', ')} or ${last}` : last;
}

/** `the text "abc"`, `a list`, `nothing`. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return `the text ${JSON.stringify(value)}`;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' ? `the number ${value}` : 'a mapping';
}

function templateHint(value: unknown): string | undefined {
  const first =
    value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.keys(value)[0] : undefined;
  return first?.startsWith('{') ? 'Put quotes around a template: "{{ ... }}".' : undefined;
}

function remedy(wanted: readonly string[], found: unknown): string | undefined {
  if (wanted.includes('array') && !wanted.includes('object') && typeof found === 'object')
    return 'Begin every item with "- ".';
  if (wanted.includes('string') && ['number', 'boolean'].includes(typeof found)) {
    return `Put quotes around it: "${String(found)}".`;
  }
  if (wanted.includes('boolean') && typeof found === 'string') return 'Write true or false without quotes.';
  if ((wanted.includes('integer') || wanted.includes('number')) && typeof found === 'string') {
    return 'Write the number without quotes.';
  }
  return undefined;
}

function patternHint(key: string): string {
  if (key === 'name') return 'Use letters, digits and underscores, and no digit at the beginning.';
  if (key === 'severity') return 'Allowed: error, warn.';
  if (key === 'shared_buffers') return 'Write an amount of memory from 10MB to 1GB: 256MB.';
  return 'See the documentation of this key.';
}
