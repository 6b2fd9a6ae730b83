-- Nothing in the marts belongs to a deleted task.
with found as (
    select task_gid from {{ ref('tasks') }}
    union all
    select task_gid from {{ ref('comments') }}
    union all
    select task_gid from {{ ref('section_changes') }}
    union all
    select task_gid from {{ ref('time_entries') }}
    union all
    select parent_gid as task_gid from {{ ref('attachments') }}
)

select found.task_gid
from found
inner join {{ ref('deletions') }} as deletions on found.task_gid = deletions.gid
