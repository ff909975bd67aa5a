-- Members and events are added up side by side, so that one event costs one sum and no join.
with counted as (

    select vendor, segment, 1 as members, 0 as adds, 0 as removes
    from {{ ref('segment_members') }}

    union all

    select
        vendor,
        segment,
        0 as members,
        case when remove then 0 else 1 end as adds,
        case when remove then 1 else 0 end as removes
    from {{ ref('stg_segment_events') }}

)

select
    vendor,
    segment,
    sum(members) as members,
    sum(adds) as adds,
    sum(removes) as removes
from counted
group by vendor, segment
