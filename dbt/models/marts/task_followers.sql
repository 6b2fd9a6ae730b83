with followers as (
    {{ airbyte_asana.elements(ref('int_asana__tasks'), 'followers', ['gid']) }}
),

named as (
    select distinct
        gid as task_gid,
        {{ airbyte_asana.json_value('element', 'gid') }} as user_gid,
        {{ airbyte_asana.json_value('element', 'name') }} as user_name
    from followers
)

select
    named.task_gid,
    named.user_gid,
    coalesce(users.name, named.user_name) as user_name
from named
left join {{ ref('stg_asana__users') }} as users on named.user_gid = users.gid
