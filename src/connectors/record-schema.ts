import { Ajv, type ErrorObject, type Options, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { SourceNode } from '../project/nodes.ts';
import { segError } from '../diagnostics/seg-error.ts';

/** What is wrong with a record by its source's schema, in words, or undefined. */
export type CheckSchema = (record: unknown) => string | undefined;

/** By schema, by `coerce`: compiling takes ten times as long as checking a scenario's few records. */
const compiled = [new WeakMap<object, CheckSchema>(), new WeakMap<object, CheckSchema>()] as const;

/**
 * Compiles a source's `json_schema` (2020-12, or draft-07 when its `$schema` says so). Answers null when it has none.
 * `coerce` is for CSV, whose fields are all text: they are turned into the schema's types, in place.
 * Throws SEG501 when the schema itself is wrong.
 */
export function compileSchema(source: SourceNode, options: { coerce: boolean }): CheckSchema | null {
  const schema = source.json_schema;
  if (schema === null || schema === undefined) return null;
  const known = compiled[options.coerce ? 1 : 0];
  const found = typeof schema === 'object' ? known.get(schema) : undefined;
  if (found !== undefined) return found;
  const settings: Options = {
    // Keywords of other tools are not mistakes.
    strict: false,
    logger: false,
    coerceTypes: options.coerce,
    validateSchema: true,
  };
  let validate: ValidateFunction;
  try {
    const declared = typeof schema === 'object' && !Array.isArray(schema) ? schema.$schema : undefined;
    const draft07 = typeof declared === 'string' && /draft-0[67]/.test(declared);
    const ajv = draft07 ? new Ajv(settings) : new Ajv2020(settings);
    addFormats.default(ajv);
    validate = ajv.compile(schema as object | boolean);
  } catch (error) {
    throw segError(
      'SEG501',
      `the json_schema of source "${source.source_name}.${source.name}" is not valid`,
      {
        at: source.at,
        notes: [{ message: error instanceof Error ? error.message : String(error) }],
        hint: 'Correct the schema; it must be JSON Schema 2020-12, or draft-07 with a "$schema" that says so.',
        cause: error,
      },
    );
  }
  const check: CheckSchema = (record) => (validate(record) ? undefined : describe(validate.errors?.[0]));
  if (typeof schema === 'object') known.set(schema, check);
  return check;
}

function describe(error: ErrorObject | undefined): string {
  if (error === undefined) return 'does not satisfy the schema';
  const where = error.instancePath.slice(1).split('/').map(unescapePointer).join('.') || 'record';
  const extra = (error.params as { additionalProperty?: unknown }).additionalProperty;
  return `${where} ${error.message ?? 'is not valid'}${typeof extra === 'string' ? ` ("${extra}")` : ''}`;
}

function unescapePointer(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~');
}
