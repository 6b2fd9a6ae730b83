{{ config(alias='task') }}

select
    gid as id,
    name,
    notes,
    assignee_gid as assignee_id,
    is_completed as completed,
    completed_at,
    completed_by_gid as completed_by_id,
    created_at,
    modified_at,
    start_on,
    due_on,
    due_at,
    is_liked as liked,
    likes as num_likes,
    parent_gid as parent_id,
    workspace_gid as workspace_id,
    extracted_at as _fivetran_synced
from {{ ref('int_asana__tasks') }}
