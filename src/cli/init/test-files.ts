/** Tests of the project that `seg init` writes, one of each kind. */
export const TEST_FILES: Readonly<Record<string, string>> = {
  'models/unit_tests.yml': `version: 2

unit_tests:
  - name: cancelled_orders_earn_nothing
    model: revenue
    given:
      - input: ref('stg_orders')
        rows:
          - {order_id: 1, product: tea, quantity: 2, cancelled: false}
          - {order_id: 2, product: tea, quantity: 1, cancelled: false}
          - {order_id: 2, cancelled: true}
      - input: ref('products')
        format: csv
        rows: |
          product,price
          tea,4.50
    expect:
      rows:
        - {product: tea, orders: 1, revenue: 9.00}
`,
  'tests/revenue_is_positive.sql': `-- A singular test fails when it returns rows.
select * from {{ ref('revenue') }} where revenue <= 0
`,
  'tests/shop_scenarios.yml': `scenarios:
  - name: a_morning_at_the_shop
    description: Orders come in, one twice, one is cancelled, and time passes.
    at: "2024-05-01T09:00:00Z"
    steps:
      - name: two orders
        ingest: orders
        records:
          - {event: 00000000-0000-4000-8000-000000000001, order: 1, product: tea, quantity: 2, at: "2024-05-01T09:00:00Z"}
          - {event: 00000000-0000-4000-8000-000000000002, order: 2, product: coffee, quantity: 1, at: "2024-05-01T09:00:00Z"}
        expect:
          revenue:
            - {product: tea, orders: 1, revenue: 9.00}
            - {product: coffee, orders: 1, revenue: 6.00}
        changes:
          recent_orders:
            - {op: insert, order_id: 1}
            - {op: insert, order_id: 2}
      - name: the same event once more changes nothing
        ingest: orders
        records:
          - {event: 00000000-0000-4000-8000-000000000002, order: 2, product: coffee, quantity: 1, at: "2024-05-01T09:00:00Z"}
        duplicate: 1
        changes: {recent_orders: []}
      - name: the coffee is cancelled
        ingest: orders
        records:
          - {event: 00000000-0000-4000-8000-000000000003, order: 2, cancelled: true, at: "2024-05-01T09:30:00Z"}
        expect:
          revenue:
            - {product: tea, orders: 1, revenue: 9.00}
        changes: {recent_orders: [{op: delete, order_id: 2}]}
      - name: an hour later nothing is recent, without any event
        advance: 1 hour
        changes: {recent_orders: [{op: delete, order_id: 1}]}
      - verify: true
`,
};
