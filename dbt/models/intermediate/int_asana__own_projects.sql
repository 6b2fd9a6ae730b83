-- The projects and sections that a task is in itself, as its row has them, deleted projects too.
with memberships as (
    {{ airbyte_asana.elements(ref('int_asana__task_rows'), 'memberships', ['gid']) }}
),

named as (
    select distinct
        gid as task_gid,
        {{ airbyte_asana.json_value('element', 'project.gid') }} as project_gid,
        {{ airbyte_asana.json_value('element', 'project.name') }} as project_name,
        {{ airbyte_asana.json_value('element', 'section.gid') }} as section_gid,
        {{ airbyte_asana.json_value('element', 'section.name') }} as section_name
    from memberships
)

select
    named.*,
    deleted_projects.gid is not null as is_deleted
from named
left join {{ ref('int_asana__deleted_projects') }} as deleted_projects
    on named.project_gid = deleted_projects.gid
where named.project_gid is not null
