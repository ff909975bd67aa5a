{#-
  A running number of the session a row belongs to, in three columns of SQL that go one into the other: a session
  starts where the gap to the row before is MORE than `gap`. Usage, over rows `from`, which must have these columns:

    with {{ number_sessions('views', key='visitor_id', at='viewed_at', tie='position', gap='5 minutes') }}
    select ... from views_numbered group by visitor_id, session_number

  Windows are written out, because Materialize has no WINDOW clause; RisingWave has no lag() with a default.
-#}
{% macro number_sessions(from, key, at, tie, gap) -%}
{{ from }}_flagged as (

    select
        *,
        case
            when {{ at }} <= lag({{ at }}) over (partition by {{ key }} order by {{ at }}, {{ tie }}) + interval '{{ gap }}'
            then 0
            else 1
        end as starts_session
    from {{ from }}

),

{{ from }}_numbered as (

    select
        *,
        sum(starts_session) over (
            partition by {{ key }} order by {{ at }}, {{ tie }}
            rows between unbounded preceding and current row
        ) as session_number
    from {{ from }}_flagged

)
{%- endmacro %}
