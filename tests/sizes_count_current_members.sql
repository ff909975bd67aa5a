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

select vendor, segment, sizes.members, counted.members as counted
from {{ ref('segment_sizes') }} as sizes
full join counted using (vendor, segment)
where sizes.members is distinct from counted.members
