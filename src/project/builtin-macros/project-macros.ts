/** Macros a project may replace by its own of the same name; `now` is the project's clock. */
export const projectMacros = String.raw`
{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
  {%- if custom_schema_name is none -%}{{ target.schema }}
  {%- else -%}{{ target.schema }}_{{ custom_schema_name | trim }}{%- endif -%}
{%- endmacro %}

{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
  {%- if custom_alias_name -%}{{ custom_alias_name | trim }}
  {%- else -%}{{ node.name }}{%- endif -%}
{%- endmacro %}

{% macro generate_database_name(custom_database_name=none, node=none) -%}
  {%- if custom_database_name is none -%}{{ target.database }}
  {%- else -%}{{ custom_database_name | trim }}{%- endif -%}
{%- endmacro %}

{% macro get_where_subquery(relation) -%}
  {%- set where = config.get('where') -%}
  {%- if where -%}(select * from {{ relation }} where {{ where }}) dbt_subquery
  {%- else -%}{{ relation }}{%- endif -%}
{%- endmacro %}

{% macro is_incremental() %}{{ return(false) }}{% endmacro %}

{% macro should_full_refresh() %}{{ return(flags.FULL_REFRESH) }}{% endmacro %}

{% macro should_store_failures() %}{{ return(config.get('store_failures', false)) }}{% endmacro %}

{% macro now() %}{{ return(adapter.dispatch('now', 'dbt')()) }}{% endmacro %}
{% macro default__now() -%} now() {%- endmacro %}
{#- A scalar subquery, not the function: it names the clock as an input, and it is evaluated once a query. -#}
{% macro postgres__now() -%} (select "now" from "{{ target.state_schema }}"."clock") {%- endmacro %}
{% macro materialize__now() -%} mz_now() {%- endmacro %}
{% macro risingwave__now() -%} now() {%- endmacro %}

{% macro current_timestamp() %}{{ return(now()) }}{% endmacro %}
`;
