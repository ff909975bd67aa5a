with pageviews as (

    select
        "position",
        {{ clean_text('visitor_id') }} as visitor_id,
        viewed_at,
        {{ clean_text('event') }} as event,
        {{ clean_text('url') }} as url
    from {{ source('web', 'pageviews') }}

)

select *
from pageviews
where visitor_id is not null
