select order_id, product, quantity, placed_at
from {{ source('shop', 'orders') }}
where status = 'placed'
