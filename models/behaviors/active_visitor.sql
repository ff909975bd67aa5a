select user_id, last_activity_at
from {{ ref('user_activity') }}
where {{ age('last_activity_at', '<', '30 minutes') }}
