-- Every task and subtask that exists, once, with the highest known task above it. Separators, an old
-- kind of section that Asana still lists as tasks, are left out.
with tops as (
    select
        task_gid,
        ancestor_gid as top_task_gid,
        level,
        row_number() over (partition by task_gid order by level desc) as place
    from {{ ref('int_asana__task_ancestors') }}
)

select
    task_rows.*,
    tops.top_task_gid,
    tops.level
from {{ ref('int_asana__task_rows') }} as task_rows
inner join tops on task_rows.gid = tops.task_gid and tops.place = 1
left join {{ ref('int_asana__gone_tasks') }} as gone on task_rows.gid = gone.gid
where gone.gid is null and coalesce(task_rows.is_separator, false) = false
