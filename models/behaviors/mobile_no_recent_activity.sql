select user_id, page_views, last_activity_at
from {{ ref('user_activity') }}
where device_type = 'mobile'
    and page_views >= 10
    and {{ age('last_activity_at', '>=', '7 days') }}
