{{ config(alias='task_follower') }}

select
    followers.task_gid as task_id,
    followers.user_gid as user_id,
    tasks.extracted_at as _fivetran_synced
from {{ ref('task_followers') }} as followers
inner join {{ ref('int_asana__tasks') }} as tasks on followers.task_gid = tasks.gid
