with task_tags as (
    {{ airbyte_asana.elements(ref('int_asana__tasks'), 'tags', ['gid']) }}
),

named as (
    select distinct
        gid as task_gid,
        {{ airbyte_asana.json_value('element', 'gid') }} as tag_gid,
        {{ airbyte_asana.json_value('element', 'name') }} as tag_name
    from task_tags
)

select
    named.task_gid,
    named.tag_gid,
    coalesce(tags.name, named.tag_name) as tag_name,
    tags.color
from named
left join {{ ref('stg_asana__tags') }} as tags on named.tag_gid = tags.gid
