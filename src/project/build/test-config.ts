import type { JsonObject } from '../project-file.ts';
import type { TestConfig } from '../nodes.ts';
import { commonConfig, textOrNull } from './layers.ts';

/** Keys of a generic test's YAML entry that are configuration though they stand beside its arguments. */
export const testConfigKeys = [
  'severity',
  'tags',
  'enabled',
  'where',
  'limit',
  'warn_if',
  'error_if',
  'fail_calc',
  'store_failures',
  'store_failures_as',
  'meta',
  'database',
  'schema',
  'alias',
];

/** dbt's defaults for what a test's configuration leaves out. */
export function testConfig(values: JsonObject): TestConfig {
  const severity = typeof values.severity === 'string' ? values.severity.toUpperCase() : 'ERROR';
  return {
    ...commonConfig(values),
    materialized: 'test',
    severity: severity === 'WARN' ? 'WARN' : 'ERROR',
    store_failures: typeof values.store_failures === 'boolean' ? values.store_failures : null,
    store_failures_as: textOrNull(values.store_failures_as),
    where: textOrNull(values.where),
    limit: typeof values.limit === 'number' ? values.limit : null,
    fail_calc: textOrNull(values.fail_calc) ?? 'count(*)',
    warn_if: textOrNull(values.warn_if) ?? '!= 0',
    error_if: textOrNull(values.error_if) ?? '!= 0',
    schema: textOrNull(values.schema) ?? 'dbt_test__audit',
    alias: textOrNull(values.alias),
  };
}
