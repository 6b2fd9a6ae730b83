select
    stories.gid as comment_gid,
    stories.target_gid as task_gid,
    tasks.name as task_name,
    stories.text,
    stories.created_at,
    stories.created_by_gid,
    coalesce(users.name, stories.created_by_name) as created_by_name,
    stories.is_edited,
    stories.is_pinned,
    stories.likes
from {{ ref('int_asana__stories') }} as stories
left join {{ ref('int_asana__tasks') }} as tasks on stories.target_gid = tasks.gid
left join {{ ref('stg_asana__users') }} as users on stories.created_by_gid = users.gid
where stories.type = 'comment'
