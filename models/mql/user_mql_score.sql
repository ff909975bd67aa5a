select
    done.email,
    sum(scored.mql_score) as mql_score,
    {{ json_array('done.event_name', order_by='done.first_position') }} as mql_events,
    max(done.last_event_received_at) as last_event_received_at
from {{ ref('user_event_names') }} as done
inner join {{ ref('mql_score') }} as scored on scored.event_name = done.event_name
group by done.email
