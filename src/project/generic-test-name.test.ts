import { describe, expect, it } from 'vitest';
import { genericTestHash, genericTestName } from './generic-test-name.ts';
import type { JsonObject } from './project-file.ts';
import { pythonRepr } from './python-text.ts';

const id = (test: string, model: string, kwargs: JsonObject): string => {
  const { full } = genericTestName(test, model, kwargs);
  const metadata = {
    name: test,
    namespace: null,
    kwargs: { ...kwargs, model: `{{ get_where_subquery(ref('${model}')) }}` },
  };
  return `${full}.${genericTestHash(full, metadata)}`;
};

describe('names of generic tests', () => {
  // Ids of dbt's public jaffle_shop project.
  it('equal the ids that dbt gives', () => {
    expect(id('unique', 'orders', { column_name: 'order_id' })).toBe('unique_orders_order_id.fed79b3a6e');
    expect(id('not_null', 'orders', { column_name: 'order_id' })).toBe('not_null_orders_order_id.cf6c17daed');
    expect(id('unique', 'customers', { column_name: 'customer_id' })).toBe(
      'unique_customers_customer_id.c5af1ff4b1',
    );
    expect(
      id('relationships', 'orders', {
        column_name: 'customer_id',
        to: "ref('customers')",
        field: 'customer_id',
      }),
    ).toBe('relationships_orders_customer_id__customer_id__ref_customers_.c6ec7f58f2');
    expect(
      id('accepted_values', 'orders', {
        column_name: 'status',
        values: ['placed', 'shipped', 'completed', 'return_pending', 'returned'],
      }),
    ).toBe('accepted_values_orders_status__placed__shipped__completed__return_pending__returned.be6b5b5ec3');
  });

  it('are cut at 64 characters', () => {
    const { full, short } = genericTestName('accepted_values', 'orders', {
      column_name: 'status',
      values: ['placed', 'shipped', 'completed', 'return_pending', 'returned'],
    });
    expect(full).toBe('accepted_values_orders_status__placed__shipped__completed__return_pending__returned');
    expect(short).toBe('accepted_values_orders_1ce6ab157c285f7cd2ac656013faf758');
  });

  it('spell values as Python does', () => {
    expect(pythonRepr({ a: [true, null, 1.5, "it's", 'say "x"', `'"`] })).toBe(
      `{'a': [True, None, 1.5, "it's", 'say "x"', '\\'"']}`,
    );
  });
});
