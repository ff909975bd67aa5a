-- Who never bought, bought at the beginning of time: so the rule is one condition on one timestamp, on every engine.
select user_id, last_purchase_at
from {{ ref('user_activity') }}
where region = 'California'
    and {{ age("coalesce(last_purchase_at, cast('1970-01-01 00:00:00+00' as timestamptz))", '>=', '30 days') }}
