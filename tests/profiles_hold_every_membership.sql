-- Unfolding the profiles gives the memberships again. Each side counts, because not every engine knows EXCEPT ALL, and the
-- elements are unfolded in the select list, because not every engine knows LATERAL with a function.
with elements as (

    select user_id, jsonb_array_elements(segments) as element
    from {{ ref('user_profiles') }}

),

both_sides as (

    select
        user_id,
        (element -> 'segment' ->> 'vendor')::integer as vendor,
        element -> 'segment' ->> 'name' as segment,
        (element ->> 'member')::boolean as is_member,
        element ->> 'value' as value,
        1 as weight
    from elements

    union all

    select user_id, vendor, segment, is_member, value, -1 as weight
    from {{ ref('segment_memberships') }}

)

select user_id, vendor, segment, is_member, value, sum(weight) as weight
from both_sides
group by user_id, vendor, segment, is_member, value
having sum(weight) <> 0
