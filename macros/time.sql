{#-
  Compares the age of a timestamp, the project's now minus the timestamp, with an interval: age('viewed_at', '<=',
  '5 minutes'). The timestamp is put alone on its side, which is the form in which every engine can find the rows that
  cross the boundary when the clock moves. A timestamp ahead of the clock is young.
-#}
{% macro age(timestamp, operator, interval) -%}
{%- if operator not in ['<', '<=', '>', '>='] -%}
  {{ exceptions.raise_compiler_error("age: unknown operator '" ~ operator ~ "', use one of < <= > >=") }}
{%- endif -%}
{{ adapter.dispatch('age', 'segmentation')(timestamp, operator, interval) }}
{%- endmacro %}

{% macro default__age(timestamp, operator, interval) -%}
{%- set mirrored = {'<': '>', '<=': '>=', '>': '<', '>=': '<='} -%}
{{ timestamp }} {{ mirrored[operator] }} {{ now() }} - interval '{{ interval }}'
{%- endmacro %}

{#- Materialize allows no arithmetic on its clock, so the interval moves to the other side. -#}
{% macro materialize__age(timestamp, operator, interval) -%}
mz_now() {{ operator }} {{ timestamp }} + interval '{{ interval }}'
{%- endmacro %}
