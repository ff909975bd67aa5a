select shown.total as shown, counted.total as counted
from (select sum(revenue) as total from {{ ref('product_revenue') }}) as shown
cross join (
    select coalesce(sum(quantity * price), 0) as total
    from {{ source('shop', 'orders') }}
    inner join {{ ref('products') }} using (product)
    where status = 'paid'
) as counted
where shown.total <> counted.total
