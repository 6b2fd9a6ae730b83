{{ config(alias='task_section') }}

select distinct
    memberships.section_gid as section_id,
    memberships.task_gid as task_id,
    tasks.extracted_at as _fivetran_synced
from {{ ref('task_projects') }} as memberships
inner join {{ ref('int_asana__tasks') }} as tasks on memberships.task_gid = tasks.gid
where not memberships.is_inherited and memberships.section_gid is not null
