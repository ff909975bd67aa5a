-- A user is an active visitor exactly while there is an activity younger than 30 minutes.
select user_id, 'is no active visitor' as problem
from {{ ref('user_activity') }}
where {{ age('last_activity_at', '<', '30 minutes') }}
    and user_id not in (
        select user_id from {{ ref('behavior_memberships') }} where segment = 'active_visitor'
    )

union all

select user_id, 'active and long inactive at once' as problem
from {{ ref('behavior_memberships') }}
where segment in ('active_visitor', 'mobile_no_recent_activity')
group by user_id
having count(*) > 1
