import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { configSchemas } from './config-schemas.ts';
import { projectSchema, profileSchema, targetSchemas } from './project-schema.ts';
import { propertySchema } from './property-schema.ts';
import { selectorsSchema } from './selectors-schema.ts';

it('every schema is valid JSON Schema (validate.ts does not check it at run time)', () => {
  const ajv = new Ajv({ strict: false });
  const schemas = [propertySchema, projectSchema, profileSchema, selectorsSchema];
  for (const schema of [...schemas, ...Object.values(configSchemas), ...Object.values(targetSchemas)]) {
    expect(ajv.validateSchema(schema as object), JSON.stringify(ajv.errors)).toBe(true);
  }
});
