select
    products.product,
    count(orders.order_id) as orders,
    coalesce(sum(orders.quantity * products.price), 0) as revenue
from {{ ref('products') }} as products
left join {{ source('shop', 'orders') }} as orders
    on orders.product = products.product and orders.status = 'paid'
group by products.product
