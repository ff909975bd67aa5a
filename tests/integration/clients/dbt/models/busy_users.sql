select user_id, events from {{ source('stream', 'by_user') }} where events >= 10
