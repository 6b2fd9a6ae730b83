-- The last day of daily_open_tasks has the open tasks of project_health.
with last_days as (
    select
        project_gid,
        open_tasks,
        row_number() over (partition by project_gid order by day desc) as place
    from {{ ref('daily_open_tasks') }}
)

select projects.project_gid
from {{ ref('project_health') }} as projects
left join last_days on projects.project_gid = last_days.project_gid and last_days.place = 1
where projects.open_tasks <> coalesce(last_days.open_tasks, 0)
