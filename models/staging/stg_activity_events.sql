with events as (

    select
        "position",
        {{ clean_text('id') }} as id,
        {{ clean_text('id_type') }} as id_type,
        {{ clean_text('region') }} as region,
        {{ clean_text('device_type') }} as device_type,
        {{ clean_text('country') }} as country,
        created_at,
        {{ clean_text('activity_type') }} as activity_type,
        {{ clean_text('url') }} as url,
        {{ to_number('order_total') }} as order_total,
        {{ clean_text('order_id') }} as order_id,
        {{ clean_text('element_id') }} as element_id
    from {{ source('activity', 'activity_events') }}

)

select *
from events
where id is not null and id_type is not null
