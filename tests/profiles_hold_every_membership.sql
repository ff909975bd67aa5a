-- Unfolding the profiles gives the memberships again.
with unfolded as (

    select
        user_id,
        (element #>> '{segment,vendor}')::integer as vendor,
        element #>> '{segment,name}' as segment,
        (element ->> 'member')::boolean as is_member,
        element ->> 'value' as value
    from {{ ref('user_profiles') }}
    cross join lateral jsonb_array_elements(segments) as element

)

(
    select user_id, vendor, segment, is_member, value from {{ ref('segment_memberships') }}
    except all
    select user_id, vendor, segment, is_member, value from unfolded
)
union all
(
    select user_id, vendor, segment, is_member, value from unfolded
    except all
    select user_id, vendor, segment, is_member, value from {{ ref('segment_memberships') }}
)
