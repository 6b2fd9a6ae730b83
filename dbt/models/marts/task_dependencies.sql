with dependencies as (
    {{ airbyte_asana.elements(ref('int_asana__tasks'), 'dependencies', ['gid']) }}
),

pairs as (
    select distinct
        gid as task_gid,
        {{ airbyte_asana.json_value('element', 'gid') }} as depends_on_gid
    from dependencies
)

select
    pairs.task_gid,
    tasks.name as task_name,
    tasks.is_completed,
    pairs.depends_on_gid,
    others.name as depends_on_name,
    others.is_completed as depends_on_is_completed,
    others.completed_at as depends_on_completed_at,
    not tasks.is_completed and not others.is_completed as is_blocked
from pairs
inner join {{ ref('int_asana__tasks') }} as tasks on pairs.task_gid = tasks.gid
left join {{ ref('int_asana__tasks') }} as others on pairs.depends_on_gid = others.gid
left join {{ ref('int_asana__gone_tasks') }} as gone on pairs.depends_on_gid = gone.gid
where gone.gid is null
