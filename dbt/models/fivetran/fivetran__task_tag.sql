{{ config(alias='task_tag') }}

select
    task_tags.task_gid as task_id,
    task_tags.tag_gid as tag_id,
    tasks.extracted_at as _fivetran_synced
from {{ ref('task_tags') }} as task_tags
inner join {{ ref('int_asana__tasks') }} as tasks on task_tags.task_gid = tasks.gid
