{{ config(alias='project') }}

select
    projects.gid as id,
    projects.name,
    projects.notes,
    projects.color,
    projects.is_archived as archived,
    projects.created_at,
    projects.modified_at,
    coalesce(latest.status_text, projects.current_status_text) as current_status,
    projects.due_on as due_date,
    projects.owner_gid as owner_id,
    coalesce(projects.is_public, projects.privacy_setting = 'public_to_workspace') as public,
    with_team.team_gid as team_id,
    projects.workspace_gid as workspace_id,
    projects.extracted_at as _fivetran_synced,
    false as _fivetran_deleted
from {{ ref('stg_asana__projects') }} as projects
inner join {{ ref('int_asana__projects') }} as with_team on projects.gid = with_team.gid
left join {{ ref('int_asana__latest_status') }} as latest on projects.gid = latest.parent_gid
