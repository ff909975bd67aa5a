/** Seeds, sources and models of the project that `seg init` writes. */
export const MODEL_FILES: Readonly<Record<string, string>> = {
  'seeds/products.csv': `product,price
tea,4.50
coffee,6.00
cocoa,5.25
`,
  'seeds/properties.yml': `version: 2

seeds:
  - name: products
    description: What the shop sells.
    config:
      unique_key: product
      column_types: {price: "numeric(10, 2)"}
    columns:
      - name: product
        data_tests: [unique, not_null]
`,
  'data/orders.ndjson': `{"event":"7b6a1a52-6c5b-4a9e-8f0e-000000000001","order":1,"product":"tea","quantity":2,"at":"2024-05-01T09:00:00Z"}
{"event":"7b6a1a52-6c5b-4a9e-8f0e-000000000002","order":2,"product":"coffee","quantity":1,"at":"2024-05-01T09:05:00Z"}
{"event":"7b6a1a52-6c5b-4a9e-8f0e-000000000003","order":3,"product":"tea","quantity":1,"at":"2024-05-01T09:10:00Z"}
{"event":"7b6a1a52-6c5b-4a9e-8f0e-000000000003","order":3,"product":"tea","quantity":1,"at":"2024-05-01T09:10:00Z"}
{"event":"7b6a1a52-6c5b-4a9e-8f0e-000000000004","order":4,"product":"cocoa","quantity":4,"at":"2024-05-01T09:15:00Z"}
{"event":"7b6a1a52-6c5b-4a9e-8f0e-000000000005","order":5,"product":"coffee","quantity":2,"at":"2024-05-01T09:20:00Z"}
{"event":"7b6a1a52-6c5b-4a9e-8f0e-000000000006","order":4,"cancelled":true,"at":"2024-05-01T09:30:00Z"}
`,
  'models/sources.yml': `version: 2

sources:
  - name: shop
    description: Events of the shop, brought in by "seg ingest".
    tables:
      - name: orders
        description: An order is placed, or an earlier one is cancelled.
        config:
          # An event that is delivered again is dropped and counted.
          key: event_id
          format: json
        columns:
          - {name: position, data_type: bigint, generated: position, description: Arrival order.}
          - {name: event_id, data_type: uuid, path: event}
          - {name: order_id, data_type: integer, path: order, not_null: true}
          - {name: product, data_type: text}
          - {name: quantity, data_type: integer}
          - {name: cancelled, data_type: boolean}
          - {name: ordered_at, data_type: timestamptz, path: at, not_null: true}
`,
  'models/staging/stg_orders.sql': `select
  "position",
  order_id,
  product,
  quantity,
  ordered_at,
  coalesce(cancelled, false) as cancelled
from {{ source('shop', 'orders') }}
`,
  'models/revenue.sql': `{{ config(unique_key='product', changelog=true) }}

select
  o.product,
  count(*) as orders,
  sum(o.quantity * p.price) as revenue
from {{ ref('stg_orders') }} as o
join {{ ref('products') }} as p on p.product = o.product
where not o.cancelled
  and not exists (
    select 1 from {{ ref('stg_orders') }} as c where c.order_id = o.order_id and c.cancelled
  )
group by o.product
`,
  'models/recent_orders.sql': `{{ config(unique_key='order_id') }}

-- now() is the project's clock: rows leave an hour after their order, without any event.
select o.order_id, o.product, o.quantity, o.ordered_at
from {{ ref('stg_orders') }} as o
where not o.cancelled
  and o.ordered_at > {{ now() }} - interval '1 hour'
  and not exists (
    select 1 from {{ ref('stg_orders') }} as c where c.order_id = o.order_id and c.cancelled
  )
`,
  'models/schema.yml': `version: 2

models:
  - name: stg_orders
    description: Order events, typed.
  - name: revenue
    description: What each product has earned, without cancelled orders.
    columns:
      - name: product
        data_tests:
          - unique
          - not_null
          - relationships:
              arguments: {to: ref('products'), field: product}
  - name: recent_orders
    description: Orders of the last hour of the project's clock.
`,
};
