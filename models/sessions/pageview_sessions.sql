{%- set gap = var('session_gap', '5 minutes') -%}
-- Open and closed sessions apart, because the streaming engines know the time in WHERE only.
select visitor_id, started_at, ended_at, pageviews, true as is_open
from {{ ref('visitor_sessions') }}
where {{ age('ended_at', '<=', gap) }}

union all

select visitor_id, started_at, ended_at, pageviews, false as is_open
from {{ ref('visitor_sessions') }}
where {{ age('ended_at', '>', gap) }}
