select
    entries.gid as time_entry_gid,
    entries.task_gid,
    coalesce(tasks.name, entries.task_name) as task_name,
    entries.minutes,
    entries.entered_on,
    entries.created_at,
    entries.created_by_gid as user_gid,
    coalesce(users.name, entries.created_by_name) as user_name,
    entries.project_gid,
    projects.name as project_name,
    entries.approval_status,
    entries.billable_status,
    entries.description
from {{ ref('stg_asana__time_tracking_entries') }} as entries
left join {{ ref('int_asana__gone_tasks') }} as gone on entries.task_gid = gone.gid
left join {{ ref('int_asana__tasks') }} as tasks on entries.task_gid = tasks.gid
left join {{ ref('int_asana__projects') }} as projects on entries.project_gid = projects.gid
left join {{ ref('stg_asana__users') }} as users on entries.created_by_gid = users.gid
where gone.gid is null
