with project_counts as (
    select
        members.portfolio_gid,
        count(*) as projects,
        sum(case when projects.status = 'on_track' then 1 else 0 end) as projects_on_track,
        sum(case when projects.status = 'at_risk' then 1 else 0 end) as projects_at_risk,
        sum(case when projects.status = 'off_track' then 1 else 0 end) as projects_off_track,
        sum(case when projects.is_completed or projects.status = 'complete' then 1 else 0 end) as projects_completed,
        sum(case when projects.status is null then 1 else 0 end) as projects_without_status
    from {{ ref('portfolio_projects') }} as members
    left join {{ ref('project_health') }} as projects on members.project_gid = projects.project_gid
    group by members.portfolio_gid
),

-- A task in two of the projects counts once.
task_counts as (
    select
        members.portfolio_gid,
        count(distinct tasks.gid) as tasks,
        count(distinct case when tasks.is_completed then tasks.gid end) as completed_tasks
    from {{ ref('portfolio_projects') }} as members
    inner join {{ ref('task_projects') }} as memberships on members.project_gid = memberships.project_gid
    inner join {{ ref('int_asana__tasks') }} as tasks on memberships.task_gid = tasks.gid
    group by members.portfolio_gid
)

select
    portfolios.gid as portfolio_gid,
    portfolios.name as portfolio_name,
    portfolios.owner_gid,
    portfolios.owner_name,
    portfolios.start_on,
    portfolios.due_on,
    latest.status,
    latest.status_title,
    latest.status_by_name,
    latest.status_at,
    coalesce(project_counts.projects, 0) as projects,
    coalesce(project_counts.projects_on_track, 0) as projects_on_track,
    coalesce(project_counts.projects_at_risk, 0) as projects_at_risk,
    coalesce(project_counts.projects_off_track, 0) as projects_off_track,
    coalesce(project_counts.projects_completed, 0) as projects_completed,
    coalesce(project_counts.projects_without_status, 0) as projects_without_status,
    coalesce(task_counts.tasks, 0) as tasks,
    coalesce(task_counts.completed_tasks, 0) as completed_tasks,
    task_counts.completed_tasks * 1.0 / nullif(task_counts.tasks, 0) as share_completed,
    portfolios.workspace_gid,
    portfolios.permalink_url
from {{ ref('stg_asana__portfolios') }} as portfolios
left join {{ ref('int_asana__latest_status') }} as latest on portfolios.gid = latest.parent_gid
left join project_counts on portfolios.gid = project_counts.portfolio_gid
left join task_counts on portfolios.gid = task_counts.portfolio_gid
