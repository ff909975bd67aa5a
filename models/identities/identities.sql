-- A reference's user id is the least arrival position among the references it is connected with. Positions travel along
-- the links, one step for every round: `identity_hops` rounds reach as many links far, without recursion. The test
-- linked_identities_share_a_user fails when somebody's links are longer than that.
{%- set hops = var('identity_hops', 4) | int %}

with sightings as (

    select id_type, id, min("position") as user_id
    from {{ ref('stg_activity_events') }}
    group by id_type, id

),

-- Each link in both directions, and each end with itself, so that a round can only lower an id.
edges as (

    select id_type, id, linked_id_type, linked_id from {{ ref('stg_identity_links') }}
    union
    select linked_id_type as id_type, linked_id as id, id_type as linked_id_type, id as linked_id
    from {{ ref('stg_identity_links') }}
    union
    select id_type, id, id_type as linked_id_type, id as linked_id
    from {{ ref('stg_identity_links') }}
    union
    select linked_id_type as id_type, linked_id as id, linked_id_type, linked_id
    from {{ ref('stg_identity_links') }}

),
{% for hop in range(1, hops + 1) %}
hop_{{ hop }} as (

    select edges.id_type, edges.id, min(reached.user_id) as user_id
    from edges
    inner join {{ 'sightings' if loop.first else 'hop_' ~ (hop - 1) }} as reached
        on reached.id_type = edges.linked_id_type and reached.id = edges.linked_id
    group by edges.id_type, edges.id

),
{% endfor %}
assigned as (

    select id_type, id, user_id from sightings
    union all
    select id_type, id, user_id from {{ 'hop_' ~ hops if hops > 0 else 'sightings' }}

)

select id_type, id, min(user_id) as user_id
from assigned
group by id_type, id
