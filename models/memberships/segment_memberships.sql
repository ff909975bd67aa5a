-- The latest arrived event is an add when the last position of all events is the last position of an add. This form,
-- rather than a comparison of two ordered arrays, is two maxima that can be merged.
select
    vendor,
    segment,
    user_id,
    min(event_at) filter (where not remove) as first_added_at,
    max(event_at) as last_event_at,
    coalesce(max("position") filter (where not remove) = max("position"), false) as is_member,
    {{ latest('value', '"position"') }} as value
from {{ ref('stg_segment_events') }}
group by vendor, segment, user_id
