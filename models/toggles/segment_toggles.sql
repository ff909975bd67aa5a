-- added_before is 1 when any earlier event of the same (vendor, segment, user) is an add, and NULL on the first event.
with events as (

    select
        event_id,
        event_at,
        user_id,
        vendor,
        segment,
        remove,
        value,
        lag(remove) over (partition by vendor, segment, user_id order by "position") as previous_remove,
        lag(payload) over (partition by vendor, segment, user_id order by "position") as previous,
        max(case when remove then 0 else 1 end) over (
            partition by vendor, segment, user_id order by "position"
            rows between unbounded preceding and 1 preceding
        ) as added_before
    from {{ ref('stg_segment_events') }}

)

select
    event_id,
    event_at,
    user_id,
    vendor,
    segment,
    remove,
    value,
    previous
from events
where added_before = 1 and remove <> previous_remove
