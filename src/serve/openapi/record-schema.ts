/** The records that a source takes, as JSON Schema: its own schema where it has one, and its columns' types. */
import { planSource } from '../../connectors/source-plan.ts';
import type { SourceColumn } from '../../connectors/source-plan.ts';
import type { SourceNode } from '../../project/nodes.ts';
import type { Schema } from './document.ts';
import { fieldSchema } from './value-schema.ts';

/** @param own where the document holds the source's `json_schema`; undefined when it has none */
export function recordSchema(source: SourceNode, own: string | undefined): Schema {
  const fields = fieldsOf(planSource(source).columns);
  const described = source.description === '' ? {} : { description: source.description };
  if (own === undefined) return { ...fields, ...described };
  return { allOf: [{ $ref: own }, fields], ...described };
}

/** The source's `json_schema` with its references to parts of itself as the document has them. */
export function movedSchema(schema: Schema, place: string): Schema {
  // Its references begin at the document, now that it is a part of one.
  const { $id: _id, $schema: _schema, ...rest } = schema;
  return moved(rest, place) as Schema;
}

function moved(value: unknown, place: string): unknown {
  if (Array.isArray(value)) return value.map((each) => moved(each, place));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name === '$ref' && typeof each === 'string' && /^#(\/|$)/.test(each)
        ? `${place}${each.slice(1)}`
        : moved(each, place),
    ]),
  );
}

interface Field {
  schema?: Schema;
  required: boolean;
  readonly parts: Map<string, Field>;
}

function fieldsOf(columns: readonly SourceColumn[]): Schema {
  const record: Field = { required: true, parts: new Map() };
  for (const column of columns) {
    let field = record;
    for (const step of column.path) {
      let part = field.parts.get(step);
      if (part === undefined) field.parts.set(step, (part = { required: false, parts: new Map() }));
      part.required ||= column.required;
      field = part;
    }
    if (column.path.length > 0) field.schema = fieldSchema(column.type);
  }
  return schemaOf(record);
}

function schemaOf({ schema, required, parts }: Field): Schema {
  if (parts.size === 0) return nullable(schema ?? {}, required);
  const steps = [...parts];
  // A step into an array is a number; and what leads nowhere is a missing value, unless it must be there.
  const named = steps.filter(([step]) => !/^\d+$/.test(step));
  const needed = named.filter(([, part]) => part.required).map(([step]) => step);
  return {
    ...(required && named.length === steps.length ? { type: 'object' } : {}),
    properties: Object.fromEntries(named.map(([step, part]) => [step, schemaOf(part)])),
    ...(needed.length === 0 ? {} : { required: needed }),
  };
}

function nullable(schema: Schema, required: boolean): Schema {
  if (required || Object.keys(schema).length === 0) return schema;
  const types = [schema['type']].flat();
  return { ...schema, type: [...types, 'null'] };
}
