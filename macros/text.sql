{#- Text without the white space around it; empty text is NULL. -#}
{% macro clean_text(expression) -%}
nullif(btrim({{ expression }}, E' \t\r\n'), '')
{%- endmacro %}


{#- A number written as text; NULL when it is empty or no number, so that one odd record cannot stop the stream. -#}
{% macro to_number(expression) -%}
{{ adapter.dispatch('to_number', 'segmentation')(expression) }}
{%- endmacro %}

{% macro default__to_number(expression) -%}
case when btrim({{ expression }}) ~ '^[+-]?[0-9]+(\.[0-9]+)?$' then btrim({{ expression }})::numeric end
{%- endmacro %}

{#- RisingWave's views are computed when they are read, and then a failing cast is an error there too. -#}
{% macro risingwave__to_number(expression) -%}
case when regexp_match(btrim({{ expression }}), '^[+-]?[0-9]+(\.[0-9]+)?$') is not null then btrim({{ expression }})::numeric end
{%- endmacro %}


{#- Text in an order that is the same everywhere: by bytes. PostgreSQL needs to be told, the others know no other. -#}
{% macro by_bytes(expression) -%}
{{ adapter.dispatch('by_bytes', 'segmentation')(expression) }}
{%- endmacro %}

{% macro default__by_bytes(expression) -%}
{{ expression }} collate "C"
{%- endmacro %}

{% macro risingwave__by_bytes(expression) -%}
{{ expression }}
{%- endmacro %}

{% macro materialize__by_bytes(expression) -%}
{{ expression }}
{%- endmacro %}
