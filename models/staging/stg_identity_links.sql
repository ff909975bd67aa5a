with links as (

    select
        {{ clean_text('id_type') }} as id_type,
        {{ clean_text('id') }} as id,
        {{ clean_text('linked_id_type') }} as linked_id_type,
        {{ clean_text('linked_id') }} as linked_id
    from {{ source('activity', 'identity_links') }}

)

select distinct *
from links
where id_type is not null and id is not null and linked_id_type is not null and linked_id is not null
