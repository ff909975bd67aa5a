/** The few JSON Schema words that seg's schemas are written in (draft-07). */
export interface Schema {
  /** How a message calls what the schema describes: `a model`, `a column`. */
  readonly title?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly (string | number | boolean | null)[];
  readonly minimum?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minItems?: number;
}

export const text: Schema = { type: ['string', 'null'] };
export const scalarText: Schema = { type: ['string', 'number', 'boolean', 'null'] };
export const bool: Schema = { type: ['boolean', 'null'] };
export const count: Schema = { type: ['integer', 'null'], minimum: 0 };
export const mapping: Schema = { type: ['object', 'null'] };
export const list: Schema = { type: ['array', 'null'] };
export const texts: Schema = { type: ['string', 'array', 'null'], items: { type: 'string' } };
export const textList: Schema = { type: ['array', 'null'], items: { type: 'string' } };
export const textMap: Schema = {
  type: ['object', 'null'],
  additionalProperties: { type: ['string', 'number', 'boolean'] },
};
export const anything: Schema = {};
export const name: Schema = { type: 'string', minLength: 1 };

/** A mapping with known keys; others are reported as unknown (a warning, as dbt tolerates them). */
export function record(title: string, properties: Record<string, Schema>, required: string[] = []): Schema {
  return { title, type: ['object', 'null'], properties, additionalProperties: false, required };
}

/** A list of mappings with known keys. */
export function records(
  title: string,
  properties: Record<string, Schema>,
  required: string[] = ['name'],
): Schema {
  return { type: ['array', 'null'], items: { ...record(title, properties, required), type: 'object' } };
}
