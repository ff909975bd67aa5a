{{ config(materialized='view') }}
select count(*) as users from {{ ref('busy_users') }}
