select
    stories.gid as story_gid,
    stories.target_gid as task_gid,
    tasks.name as task_name,
    coalesce(new_sections.project_gid, old_sections.project_gid) as project_gid,
    stories.old_section_gid,
    coalesce(old_sections.name, stories.old_section_name) as old_section_name,
    stories.new_section_gid,
    coalesce(new_sections.name, stories.new_section_name) as new_section_name,
    stories.created_at as changed_at,
    stories.created_by_gid as changed_by_gid,
    coalesce(users.name, stories.created_by_name) as changed_by_name
from {{ ref('int_asana__stories') }} as stories
left join {{ ref('int_asana__tasks') }} as tasks on stories.target_gid = tasks.gid
left join {{ ref('stg_asana__sections') }} as new_sections on stories.new_section_gid = new_sections.gid
left join {{ ref('stg_asana__sections') }} as old_sections on stories.old_section_gid = old_sections.gid
left join {{ ref('stg_asana__users') }} as users on stories.created_by_gid = users.gid
where stories.subtype = 'section_changed'
