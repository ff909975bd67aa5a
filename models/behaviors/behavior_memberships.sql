{#- A rule is a model with a user_id. To add one, write the model and name it here. -#}
{%- set rules = ['active_visitor', 'area_no_buyers', 'mobile_no_recent_activity'] -%}

{% for rule in rules -%}
select user_id, '{{ rule }}' as segment
from {{ ref(rule) }}
{{ 'union all' if not loop.last }}
{% endfor %}
