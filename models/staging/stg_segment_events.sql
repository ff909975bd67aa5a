-- `remove` is a plain boolean here. A writer in SQL may leave `payload` out: then it is put together from the columns.
with events as (

    select
        event_id,
        "position",
        event_at,
        {{ clean_text('user_id') }} as user_id,
        vendor,
        {{ clean_text('segment') }} as segment,
        {{ clean_text('value') }} as value,
        coalesce(remove, false) as remove,
        payload
    from {{ source('segment', 'segment_events') }}

)

select
    event_id,
    "position",
    event_at,
    user_id,
    vendor,
    segment,
    value,
    remove,
    coalesce(payload, jsonb_strip_nulls({{ json_object([
        ['event', 'event_id'],
        ['timestamp', 'event_at'],
        ['user', 'user_id'],
        ['segment', json_object([['vendor', 'vendor'], ['name', 'segment']])],
        ['value', 'value'],
        ['remove', 'case when remove then true end'],
    ]) }})) as payload
from events
where user_id is not null and segment is not null
