select
    identities.user_id,
    count(*) as activities,
    count(*) filter (where events.activity_type = 'page_viewed') as page_views,
    max(events.created_at) as last_activity_at,
    max(events.created_at) filter (where events.activity_type = 'product_purchased') as last_purchase_at,
    {{ latest('events.region', ['events.created_at', 'events."position"']) }} as region,
    {{ latest('events.device_type', ['events.created_at', 'events."position"']) }} as device_type
from {{ ref('stg_activity_events') }} as events
inner join {{ ref('identities') }} as identities
    on identities.id_type = events.id_type and identities.id = events.id
group by identities.user_id
