select
    user_id,
    {{ json_array(
        json_object([
            ['segment', json_object([['vendor', 'vendor'], ['name', 'segment']])],
            ['first', 'first_added_at'],
            ['last', 'last_event_at'],
            ['member', 'is_member'],
            ['value', 'value'],
        ]),
        order_by=by_bytes('segment') ~ ', vendor',
    ) }} as segments
from {{ ref('segment_memberships') }}
group by user_id
