select
    {{ clean_text('message_id') }} as event_id,
    "position",
    {{ clean_text('event') }} as event_name,
    {{ clean_text('user_id') }} as user_id,
    {{ clean_text('anonymous_id') }} as anonymous_id,
    coalesce({{ clean_text('traits_email') }}, {{ clean_text('properties_email') }}) as email,
    properties,
    event_at,
    coalesce(received_at, event_at) as received_at
from {{ source('track', 'track_events') }}
