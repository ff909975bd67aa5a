-- Each user's score, added up here from the raw events instead of the distinct ones.
with done as (

    select distinct email, event_name
    from {{ ref('stg_track_events') }}
    where email is not null

),

summed as (

    select done.email, sum(scored.mql_score) as mql_score, count(*) as events
    from done
    inner join {{ ref('mql_score') }} as scored on scored.event_name = done.event_name
    group by done.email

)

select coalesce(stored.email, summed.email) as email, stored.mql_score, summed.mql_score as summed
from {{ ref('user_mql_score') }} as stored
full join summed on summed.email = stored.email
where stored.mql_score is distinct from summed.mql_score
    or jsonb_array_length(stored.mql_events) is distinct from summed.events
