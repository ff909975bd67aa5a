-- Between two sessions of a visitor lies more than the gap, and no pageview is lost or counted twice.
{%- set gap = var('session_gap', '5 minutes') %}

with neighbours as (

    select
        visitor_id,
        started_at,
        lag(ended_at) over (partition by visitor_id order by started_at) as earlier_ended_at
    from {{ ref('pageview_sessions') }}

)

select visitor_id, started_at, 'too close to the session before' as problem
from neighbours
where started_at <= earlier_ended_at + interval '{{ gap }}'

union all

select visitor_id, cast(null as timestamptz) as started_at, 'pageviews do not add up' as problem
from (
    select visitor_id, pageviews from {{ ref('pageview_sessions') }}
    union all
    select visitor_id, -1 as pageviews from {{ ref('stg_pageviews') }} where event = 'pageview'
) as both_sides
group by visitor_id
having sum(pageviews) <> 0
