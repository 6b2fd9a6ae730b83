-- A subtask that is in no project itself is in those of the nearest task above it that is in one.
with own as (
    select * from {{ ref('int_asana__own_projects') }}
    where not is_deleted
),

nearest as (
    select
        ancestors.task_gid,
        min(ancestors.level) as level
    from {{ ref('int_asana__task_ancestors') }} as ancestors
    inner join own on ancestors.ancestor_gid = own.task_gid
    group by ancestors.task_gid
),

deleted_sections as (
    select distinct deleted.gid
    from {{ ref('int_asana__deleted') }} as deleted
    left join {{ ref('stg_asana__sections') }} as sections on deleted.gid = sections.gid
    where deleted.kind = 'section' and sections.gid is null
)

select
    tasks.gid as task_gid,
    own.project_gid,
    coalesce(projects.name, own.project_name) as project_name,
    case when deleted_sections.gid is null then own.section_gid end as section_gid,
    case when deleted_sections.gid is null then coalesce(sections.name, own.section_name) end as section_name,
    projects.team_gid,
    projects.team_name,
    ancestors.level > 0 as is_inherited,
    ancestors.ancestor_gid as inherited_from_gid
from {{ ref('int_asana__tasks') }} as tasks
inner join nearest on tasks.gid = nearest.task_gid
inner join {{ ref('int_asana__task_ancestors') }} as ancestors
    on nearest.task_gid = ancestors.task_gid and nearest.level = ancestors.level
inner join own on ancestors.ancestor_gid = own.task_gid
left join {{ ref('int_asana__projects') }} as projects on own.project_gid = projects.gid
left join {{ ref('stg_asana__sections') }} as sections on own.section_gid = sections.gid
left join deleted_sections on own.section_gid = deleted_sections.gid
