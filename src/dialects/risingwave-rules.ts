/**
 * What RisingWave 2.8 refuses and answers otherwise: by its parser, binder and planner tests, and by 2,485 expressions that were asked of a
 * live server and of PostgreSQL 18.
 */
import { arrayRules } from './risingwave/arrays.ts';
import { functionRules } from './risingwave/functions.ts';
import { jsonRules } from './risingwave/json.ts';
import { numberRules } from './risingwave/numbers.ts';
import { queryRules } from './risingwave/queries.ts';
import { rowRules } from './risingwave/rows.ts';
import { textRules } from './risingwave/text.ts';
import { typeRules } from './risingwave/types.ts';
import { windowRules } from './risingwave/windows.ts';
import type { Rule } from './rule.ts';

export const risingwaveRules: readonly Rule[] = [
  ...windowRules,
  ...rowRules,
  ...jsonRules,
  ...arrayRules,
  ...textRules,
  ...numberRules,
  ...queryRules,
  ...functionRules,
  ...typeRules,
];
