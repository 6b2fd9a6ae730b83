{%- set first_day = var('airbyte_asana_first_day') %}
-- How many tasks of a project were open at the end of each day, from the first task to today.
with project_tasks as (
    select distinct
        memberships.project_gid,
        tasks.gid,
        cast(coalesce(tasks.created_at, tasks.completed_at) as date) as created_on,
        case
            when tasks.is_completed then cast(coalesce(tasks.completed_at, tasks.created_at) as date)
        end as completed_on
    from {{ ref('int_asana__tasks') }} as tasks
    left join {{ ref('task_projects') }} as memberships on tasks.gid = memberships.task_gid
),

changes as (
    select project_gid, created_on as day, 1 as created, 0 as completed from project_tasks
    union all
    select project_gid, completed_on as day, 0 as created, 1 as completed from project_tasks
    where completed_on is not null
),

changes_by_day as (
    select
        project_gid,
        day,
        sum(created) as created,
        sum(completed) as completed
    from changes
    where day is not null
    group by project_gid, day
),

lifetimes as (
    select
        project_gid,
        min(day) as first_day
    from changes_by_day
    group by project_gid
),

numbers as (
    {{ dbt.generate_series(16384) }}
),

days as (
    select {{ airbyte_asana.today() }} - cast(generated_number - 1 as int) as day
    from numbers
),

filled as (
    select
        lifetimes.project_gid,
        days.day,
        coalesce(changes_by_day.created, 0) as created_tasks,
        coalesce(changes_by_day.completed, 0) as completed_tasks
    from lifetimes
    inner join days on lifetimes.first_day <= days.day
    left join changes_by_day
        on
            days.day = changes_by_day.day
            and coalesce(lifetimes.project_gid, '') = coalesce(changes_by_day.project_gid, '')
),

summed as (
    select
        project_gid,
        day,
        created_tasks,
        completed_tasks,
        sum(created_tasks - completed_tasks) over (
            partition by project_gid
            order by day
            rows between unbounded preceding and current row
        ) as open_tasks
    from filled
)

select
    summed.day,
    summed.project_gid,
    projects.name as project_name,
    summed.created_tasks,
    summed.completed_tasks,
    summed.open_tasks
from summed
left join {{ ref('int_asana__projects') }} as projects on summed.project_gid = projects.gid
where
    (summed.open_tasks > 0 or summed.created_tasks > 0 or summed.completed_tasks > 0)
    {%- if first_day %}
    and summed.day >= cast('{{ first_day }}' as date)
    {%- endif %}
