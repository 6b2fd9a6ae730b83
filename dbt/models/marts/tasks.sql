with first_project as (
    select
        *,
        row_number() over (partition by task_gid order by project_gid, section_gid) as place
    from {{ ref('task_projects') }}
),

all_projects as (
    select
        task_gid,
        count(distinct project_gid) as projects,
        {{ airbyte_asana.listed('project_name') }} as project_names
    from {{ ref('task_projects') }}
    group by task_gid
),

estimates as (
    select
        task_gid,
        max(number_value) as estimated_minutes
    from {{ ref('task_custom_fields') }}
    where asana_created_field = 'estimated_time'
    group by task_gid
),

subtask_counts as (
    select
        parent_gid,
        count(*) as subtasks,
        sum(case when is_completed then 0 else 1 end) as open_subtasks
    from {{ ref('int_asana__tasks') }}
    where parent_gid is not null
    group by parent_gid
)

select
    tasks.gid as task_gid,
    tasks.name,
    tasks.notes,
    tasks.type,
    tasks.custom_type,
    tasks.custom_type_status,
    tasks.approval_status,
    tasks.is_completed,
    tasks.completed_at,
    tasks.completed_by_gid,
    coalesce(completers.name, tasks.completed_by_name) as completed_by_name,
    tasks.created_at,
    tasks.created_by_gid,
    creators.name as created_by_name,
    tasks.modified_at,
    tasks.start_on,
    tasks.due_on,
    tasks.due_at,
    tasks.assignee_gid,
    coalesce(assignees.name, tasks.assignee_name) as assignee_name,
    assignees.email as assignee_email,
    tasks.parent_gid is not null as is_subtask,
    tasks.level,
    tasks.parent_gid,
    coalesce(parents.name, tasks.parent_name) as parent_name,
    tasks.top_task_gid,
    tops.name as top_task_name,
    first_project.project_gid,
    first_project.project_name,
    first_project.section_gid,
    first_project.section_name,
    first_project.team_gid,
    first_project.team_name,
    coalesce(all_projects.projects, 0) as projects,
    all_projects.project_names,
    coalesce(subtask_counts.subtasks, 0) as subtasks,
    coalesce(subtask_counts.open_subtasks, 0) as open_subtasks,
    tasks.actual_minutes,
    estimates.estimated_minutes,
    tasks.likes,
    tasks.workspace_gid,
    tasks.external_gid,
    tasks.permalink_url
from {{ ref('int_asana__tasks') }} as tasks
left join {{ ref('int_asana__tasks') }} as parents on tasks.parent_gid = parents.gid
left join {{ ref('int_asana__tasks') }} as tops on tasks.top_task_gid = tops.gid
left join first_project on tasks.gid = first_project.task_gid and first_project.place = 1
left join all_projects on tasks.gid = all_projects.task_gid
left join estimates on tasks.gid = estimates.task_gid
left join subtask_counts on tasks.gid = subtask_counts.parent_gid
left join {{ ref('stg_asana__users') }} as assignees on tasks.assignee_gid = assignees.gid
left join {{ ref('stg_asana__users') }} as creators on tasks.created_by_gid = creators.gid
left join {{ ref('stg_asana__users') }} as completers on tasks.completed_by_gid = completers.gid
