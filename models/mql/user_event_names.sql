select
    email,
    event_name,
    min("position") as first_position,
    count(*) as events,
    max(received_at) as last_event_received_at
from {{ ref('stg_track_events') }}
where email is not null and event_name is not null
group by email, event_name
