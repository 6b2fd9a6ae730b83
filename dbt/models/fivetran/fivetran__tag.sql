{{ config(alias='tag') }}

select
    gid as id,
    name,
    color,
    notes,
    cast(null as {{ dbt.type_string() }}) as message,
    created_at,
    workspace_gid as workspace_id,
    extracted_at as _fivetran_synced,
    false as _fivetran_deleted
from {{ ref('stg_asana__tags') }}
