select
    email,
    {{ json_array('event_name', order_by='first_position') }} as event_names,
    sum(events)::bigint as events,
    max(last_event_received_at) as last_event_received_at
from {{ ref('user_event_names') }}
group by email
