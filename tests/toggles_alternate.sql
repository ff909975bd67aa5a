-- For one vendor, segment and user, two toggles that follow each other never have the same status: whoever left, left
-- after having been in. Toggles are compared in the order of their events' arrival.
with ordered as (

    select
        toggles.event_id,
        toggles.remove,
        lag(toggles.remove) over (
            partition by toggles.vendor, toggles.segment, toggles.user_id order by events."position"
        ) as earlier
    from {{ ref('segment_toggles') }} as toggles
    inner join {{ ref('stg_segment_events') }} as events on events.event_id = toggles.event_id

)

select event_id, remove
from ordered
where remove = earlier
