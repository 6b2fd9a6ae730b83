-- Who is a member of what, directly or through a team.
with granted as (
    select
        'workspace' as object_type,
        workspace_gid as object_gid,
        workspace_name as object_name,
        'user' as member_type,
        user_gid as member_gid,
        user_name as member_name,
        case
            when is_admin then 'admin'
            when is_guest then 'guest'
            when is_view_only then 'viewer'
            else 'member'
        end as access_level
    from {{ ref('stg_asana__workspace_memberships') }}
    where coalesce(is_active, true)
    union all
    select
        'team' as object_type,
        team_gid as object_gid,
        team_name as object_name,
        'user' as member_type,
        user_gid as member_gid,
        user_name as member_name,
        case
            when is_admin then 'admin'
            when is_guest then 'guest'
            when has_limited_access then 'limited'
            else 'member'
        end as access_level
    from {{ ref('stg_asana__team_memberships') }}
    union all
    select
        'project' as object_type,
        memberships.project_gid as object_gid,
        coalesce(projects.name, memberships.project_name) as object_name,
        memberships.member_type,
        memberships.member_gid,
        memberships.member_name,
        memberships.access_level
    from {{ ref('stg_asana__project_memberships') }} as memberships
    left join {{ ref('int_asana__projects') }} as projects on memberships.project_gid = projects.gid
    union all
    select
        'portfolio' as object_type,
        portfolio_gid as object_gid,
        portfolio_name as object_name,
        member_type,
        member_gid,
        member_name,
        access_level
    from {{ ref('stg_asana__portfolio_memberships') }}
    union all
    select
        'portfolio' as object_type,
        older.portfolio_gid as object_gid,
        older.portfolio_name as object_name,
        'user' as member_type,
        older.member_gid,
        older.member_name,
        older.access_level
    from {{ ref('stg_asana__portfolios_memberships') }} as older
    left join {{ ref('stg_asana__portfolio_memberships') }} as newer
        on older.portfolio_gid = newer.portfolio_gid and older.member_gid = newer.member_gid
    where newer.gid is null
    union all
    select
        'goal' as object_type,
        goal_gid as object_gid,
        goal_name as object_name,
        member_type,
        member_gid,
        member_name,
        access_level
    from {{ ref('stg_asana__goal_memberships') }}
),

of_people as (
    select
        granted.object_type,
        granted.object_gid,
        granted.object_name,
        granted.member_gid as user_gid,
        granted.member_name as user_name,
        granted.access_level,
        cast(null as {{ dbt.type_string() }}) as via_team_gid,
        cast(null as {{ dbt.type_string() }}) as via_team_name
    from granted
    where coalesce(granted.member_type, 'user') <> 'team'
    union all
    select
        granted.object_type,
        granted.object_gid,
        granted.object_name,
        people.user_gid,
        people.user_name,
        granted.access_level,
        granted.member_gid as via_team_gid,
        granted.member_name as via_team_name
    from granted
    inner join {{ ref('stg_asana__team_memberships') }} as people on granted.member_gid = people.team_gid
    where granted.member_type = 'team'
)

select
    of_people.object_type,
    of_people.object_gid,
    of_people.object_name,
    of_people.user_gid,
    coalesce(users.name, of_people.user_name) as user_name,
    users.email as user_email,
    of_people.access_level,
    of_people.via_team_gid,
    of_people.via_team_name
from of_people
left join {{ ref('stg_asana__users') }} as users on of_people.user_gid = users.gid
left join {{ ref('int_asana__deleted_projects') }} as deleted_projects
    on of_people.object_gid = deleted_projects.gid
where deleted_projects.gid is null
