-- Fails when somebody's links are more steps long than the project var `identity_hops`: raise it. The failing rows are
-- kept as a view, so that it can be watched.
{{ config(store_failures=true) }}

select
    links.id_type,
    links.id,
    links.linked_id_type,
    links.linked_id,
    one.user_id,
    other.user_id as linked_user_id
from {{ ref('stg_identity_links') }} as links
left join {{ ref('identities') }} as one on one.id_type = links.id_type and one.id = links.id
left join {{ ref('identities') }} as other
    on other.id_type = links.linked_id_type and other.id = links.linked_id
where one.user_id is distinct from other.user_id
