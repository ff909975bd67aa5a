import { anything, bool, name, record, records, text } from './schema.ts';
import type { Schema } from './schema.ts';

/** selectors.yml; the definitions themselves are read by selectors/. */
export const selectorsSchema: Schema = record(
  'the selectors file',
  {
    version: anything,
    selectors: records(
      'a selector',
      {
        name,
        description: text,
        default: { type: ['boolean', 'string', 'null'] },
        definition: { type: ['string', 'object', 'array'] },
        indirect_selection: text,
        enabled: bool,
      },
      ['name', 'definition'],
    ),
  },
  ['selectors'],
);
