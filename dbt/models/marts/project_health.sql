with task_counts as (
    select
        memberships.project_gid,
        count(distinct tasks.gid) as tasks,
        count(distinct case when tasks.is_completed then tasks.gid end) as completed_tasks,
        max(tasks.completed_at) as last_completed_at,
        min(case when not tasks.is_completed then tasks.due_on end) as next_task_due_on
    from {{ ref('task_projects') }} as memberships
    inner join {{ ref('int_asana__tasks') }} as tasks on memberships.task_gid = tasks.gid
    group by memberships.project_gid
)

select
    projects.gid as project_gid,
    projects.name as project_name,
    projects.team_gid,
    projects.team_name,
    projects.owner_gid,
    projects.owner_name,
    projects.is_archived,
    projects.is_completed,
    projects.completed_at,
    projects.created_at,
    projects.modified_at,
    projects.start_on,
    projects.due_on,
    projects.privacy_setting,
    latest.status,
    latest.status_title,
    latest.status_text,
    latest.status_by_gid,
    latest.status_by_name,
    latest.status_at,
    coalesce(task_counts.tasks, 0) as tasks,
    coalesce(task_counts.completed_tasks, 0) as completed_tasks,
    coalesce(task_counts.tasks - task_counts.completed_tasks, 0) as open_tasks,
    task_counts.next_task_due_on,
    task_counts.last_completed_at,
    projects.workspace_gid,
    projects.permalink_url
from {{ ref('int_asana__projects') }} as projects
left join {{ ref('int_asana__latest_status') }} as latest on projects.gid = latest.parent_gid
left join task_counts on projects.gid = task_counts.project_gid
