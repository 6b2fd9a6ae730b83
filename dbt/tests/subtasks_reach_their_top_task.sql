-- A subtask is in the subtree of its parent, so both have the same task at the top.
select subtasks.task_gid
from {{ ref('tasks') }} as subtasks
inner join {{ ref('tasks') }} as parents on subtasks.parent_gid = parents.task_gid
where subtasks.top_task_gid <> parents.top_task_gid or subtasks.level <> parents.level + 1
