select
    vendor,
    segment,
    user_id,
    first_added_at,
    last_event_at,
    value
from {{ ref('segment_memberships') }}
where is_member
