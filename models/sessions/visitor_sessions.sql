with views as (

    select visitor_id, viewed_at, "position"
    from {{ ref('stg_pageviews') }}
    where event = 'pageview'

),

{{ number_sessions('views', key='visitor_id', at='viewed_at', tie='"position"', gap=var('session_gap', '5 minutes')) }}

select
    visitor_id,
    min(viewed_at) as started_at,
    max(viewed_at) as ended_at,
    count(*) as pageviews
from views_numbered
group by visitor_id, session_number
