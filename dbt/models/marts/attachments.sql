select
    attachments.gid as attachment_gid,
    attachments.name,
    attachments.parent_type,
    attachments.parent_gid,
    coalesce(tasks.name, projects.name) as parent_name,
    attachments.host,
    attachments.size_bytes,
    attachments.created_at,
    attachments.permanent_url,
    attachments.view_url
from {{ ref('stg_asana__attachments') }} as attachments
left join {{ ref('int_asana__gone_tasks') }} as gone on attachments.parent_gid = gone.gid
left join {{ ref('int_asana__deleted_projects') }} as deleted_projects on attachments.parent_gid = deleted_projects.gid
left join {{ ref('int_asana__tasks') }} as tasks on attachments.parent_gid = tasks.gid
left join {{ ref('int_asana__projects') }} as projects on attachments.parent_gid = projects.gid
where gone.gid is null and deleted_projects.gid is null
