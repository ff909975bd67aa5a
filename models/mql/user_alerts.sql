{%- set thresholds = var('mql_thresholds', [20]) | unique | list -%}

{%- for threshold in thresholds %}
select
    'mql_threshold_{{ threshold }}' as alert_condition,
    email,
    {{ json_object([['email', 'email']]) }} as alert_labels,
    {{ threshold }} as alert_value,
    mql_score
from {{ ref('user_mql_score') }}
where mql_score >= {{ threshold }}
{{ 'union all' if not loop.last }}
{%- else %}
-- No threshold, no alert.
select
    'none' as alert_condition,
    email,
    {{ json_object([['email', 'email']]) }} as alert_labels,
    0 as alert_value,
    mql_score
from {{ ref('user_mql_score') }}
where false
{%- endfor %}
