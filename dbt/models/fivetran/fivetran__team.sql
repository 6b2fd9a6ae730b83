{{ config(alias='team') }}

select
    gid as id,
    name,
    organization_gid as organization_id,
    extracted_at as _fivetran_synced,
    false as _fivetran_deleted
from {{ ref('stg_asana__teams') }}
