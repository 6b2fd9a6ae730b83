{{ config(alias='section') }}

select
    gid as id,
    name,
    project_gid as project_id,
    created_at,
    extracted_at as _fivetran_synced
from {{ ref('stg_asana__sections') }}
