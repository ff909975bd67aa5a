{#- A JSON object of names and SQL values: json_object([['vendor', 'vendor'], ['name', 'segment']]). -#}
{% macro json_object(pairs) -%}
{{ adapter.dispatch('json_object', 'segmentation')(pairs) }}
{%- endmacro %}

{% macro default__json_object(pairs) -%}
jsonb_build_object(
{%- for name, value in pairs -%}
'{{ name }}', {{ value }}{{ ', ' if not loop.last }}
{%- endfor -%}
)
{%- endmacro %}


{#- A JSON array of one SQL value per row, in the order given: json_array('event_name', 'position'). -#}
{% macro json_array(value, order_by) -%}
{{ adapter.dispatch('json_array', 'segmentation')(value, order_by) }}
{%- endmacro %}

{% macro default__json_array(value, order_by) -%}
jsonb_agg({{ value }} order by {{ order_by }})
{%- endmacro %}
