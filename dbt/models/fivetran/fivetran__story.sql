{{ config(alias='story') }}

select
    gid as id,
    created_at,
    created_by_gid as created_by_id,
    target_gid as target_id,
    text,
    type,
    source,
    is_hearted as hearted,
    hearts as num_hearts,
    extracted_at as _fivetran_synced
from {{ ref('int_asana__stories') }}
