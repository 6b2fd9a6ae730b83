-- Projects with their team. New projects have no team of their own: they are shared with teams, of
-- which the one with the lowest gid counts here.
with shared_with as (
    select
        project_gid,
        min(member_gid) as team_gid
    from {{ ref('stg_asana__project_memberships') }}
    where member_type = 'team'
    group by project_gid
)

select
    projects.gid,
    projects.name,
    projects.workspace_gid,
    projects.owner_gid,
    projects.owner_name,
    coalesce(projects.team_gid, shared_with.team_gid) as team_gid,
    coalesce(teams.name, projects.team_name) as team_name,
    projects.is_archived,
    projects.is_completed,
    projects.completed_at,
    projects.created_at,
    projects.modified_at,
    projects.start_on,
    projects.due_on,
    projects.privacy_setting,
    projects.permalink_url
from {{ ref('stg_asana__projects') }} as projects
left join shared_with on projects.gid = shared_with.project_gid
left join {{ ref('stg_asana__teams') }} as teams
    on coalesce(projects.team_gid, shared_with.team_gid) = teams.gid
left join {{ ref('int_asana__deleted_projects') }} as deleted_projects on projects.gid = deleted_projects.gid
where deleted_projects.gid is null
