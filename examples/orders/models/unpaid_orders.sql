-- An order enters by time passing, and leaves when it is paid or cancelled.
select order_id, product, quantity, placed_at
from {{ ref('open_orders') }}
where placed_at < {{ now() }} - interval '{{ var("unpaid_after") }}'
