-- A segment's size is the number of users whose latest arrived event is an add, counted here from the events.
with latest as (

    select distinct on (vendor, segment, user_id) vendor, segment, user_id, remove
    from {{ ref('stg_segment_events') }}
    order by vendor, segment, user_id, "position" desc

),

counted as (

    select vendor, segment, count(*) filter (where not remove) as members
    from latest
    group by vendor, segment

)

select
    coalesce(sizes.vendor, counted.vendor) as vendor,
    coalesce(sizes.segment, counted.segment) as segment,
    sizes.members,
    counted.members as counted
from {{ ref('segment_sizes') }} as sizes
full join counted on counted.vendor = sizes.vendor and counted.segment = sizes.segment
where sizes.members is distinct from counted.members
