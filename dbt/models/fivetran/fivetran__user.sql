{{ config(alias='user') }}

select
    gid as id,
    name,
    email,
    extracted_at as _fivetran_synced,
    false as _fivetran_deleted
from {{ ref('stg_asana__users') }}
