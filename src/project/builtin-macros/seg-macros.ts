/** seg's own helpers, called as `seg.<name>`: what the engines spell differently, or what is easily written wrong. */
export const segMacros = String.raw`
{# The text at a dotted path of a jsonb value: seg.json_text('payload', 'context.traits.email'). #}
{% macro json_text(field, path) -%}
{%- set steps = path.split('.') -%}
{{ field }}{% for step in steps %} {{ '->>' if loop.last else '->' }} '{{ step | replace("'", "''") }}'{% endfor %}
{%- endmacro %}

{# The jsonb value at a dotted path. #}
{% macro json_value(field, path) -%}
{{ field }}{% for step in path.split('.') %} -> '{{ step | replace("'", "''") }}'{% endfor %}
{%- endmacro %}

{# Aggregates: the value of the row that is last (first) by an order, NULL values included. #}
{% macro last_by(value, order_by) %}{{ return(adapter.dispatch('last_by', 'seg')(value, order_by)) }}{% endmacro %}
{% macro default__last_by(value, order_by) -%} (array_agg({{ value }} order by {{ order_by }} desc))[1] {%- endmacro %}
{% macro risingwave__last_by(value, order_by) -%} last_value({{ value }} order by {{ order_by }}) {%- endmacro %}

{% macro first_by(value, order_by) %}{{ return(adapter.dispatch('first_by', 'seg')(value, order_by)) }}{% endmacro %}
{% macro default__first_by(value, order_by) -%} (array_agg({{ value }} order by {{ order_by }}))[1] {%- endmacro %}
{% macro risingwave__first_by(value, order_by) -%} first_value({{ value }} order by {{ order_by }}) {%- endmacro %}

{# The same, of the rows where the value is not NULL: "the most recent value that was given". #}
{% macro last_given(value, order_by) -%}
(array_agg({{ value }} order by {{ order_by }} desc) filter (where {{ value }} is not null))[1]
{%- endmacro %}

{# Empty text means absent in many streams. #}
{% macro blank_to_null(field) -%} nullif(trim({{ field }}), '') {%- endmacro %}
`;
