with supported as (
    select
        supporting_gid,
        min(supported_goal_gid) as parent_goal_gid
    from {{ ref('stg_asana__goal_relationships') }}
    where supporting_type = 'goal'
    group by supporting_gid
),

supporting as (
    select
        supported_goal_gid,
        sum(case when supporting_type = 'goal' then 1 else 0 end) as subgoals,
        sum(case when supporting_type = 'goal' then 0 else 1 end) as supporting_work
    from {{ ref('stg_asana__goal_relationships') }}
    group by supported_goal_gid
)

select
    goals.gid as goal_gid,
    goals.name as goal_name,
    goals.owner_gid,
    goals.owner_name,
    goals.team_gid,
    coalesce(teams.name, goals.team_name) as team_name,
    goals.is_workspace_level,
    goals.time_period_name,
    coalesce(goals.start_on, goals.time_period_start_on) as start_on,
    coalesce(goals.due_on, goals.time_period_end_on) as due_on,
    coalesce(latest.status, goals.status) as status,
    latest.status_title,
    latest.status_at,
    goals.metric_unit,
    goals.metric_currency_code,
    goals.metric_initial_value,
    goals.metric_current_value,
    goals.metric_target_value,
    goals.metric_display_value,
    (goals.metric_current_value - goals.metric_initial_value)
    / nullif(goals.metric_target_value - goals.metric_initial_value, 0) as progress,
    supported.parent_goal_gid,
    parents.name as parent_goal_name,
    coalesce(supporting.subgoals, 0) as subgoals,
    coalesce(supporting.supporting_work, 0) as supporting_work,
    goals.workspace_gid
from {{ ref('stg_asana__goals') }} as goals
left join {{ ref('int_asana__latest_status') }} as latest on goals.gid = latest.parent_gid
left join {{ ref('stg_asana__teams') }} as teams on goals.team_gid = teams.gid
left join supported on goals.gid = supported.supporting_gid
left join supporting on goals.gid = supporting.supported_goal_gid
left join {{ ref('stg_asana__goals') }} as parents on supported.parent_goal_gid = parents.gid
