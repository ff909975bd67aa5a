{#- An aggregate: `value` of the row that comes last by `order_by`, rows without a value left out. -#}
{% macro latest(value, order_by) -%}
{{ adapter.dispatch('latest', 'segmentation')(value, order_by) }}
{%- endmacro %}

{#- A list of sort keys, or one. -#}
{% macro _keys_desc(order_by) -%}
{%- for key in ([order_by] if order_by is string else order_by) -%}
{{ key }} desc{{ ', ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}

{% macro default__latest(value, order_by) -%}
(array_agg({{ value }} order by {{ _keys_desc(order_by) }}) filter (where {{ value }} is not null))[1]
{%- endmacro %}

{#- RisingWave keeps only the first row of each group for first_value, the whole group for array_agg. -#}
{% macro risingwave__latest(value, order_by) -%}
first_value({{ value }} order by {{ _keys_desc(order_by) }}) filter (where {{ value }} is not null)
{%- endmacro %}
