-- What was deleted: the tombstones that the connector delivers, and what the stream events says, since
-- many destinations remove the rows of tombstones. One record may be named twice.
with restores_and_deletions as (
    select
        resource_type as kind,
        resource_gid as gid,
        resource_name as name,
        created_at as deleted_at,
        extracted_at,
        action,
        row_number() over (
            partition by resource_gid
            order by created_at desc, case when action = 'undeleted' then 0 else 1 end
        ) as place
    from {{ ref('stg_asana__events') }}
    where action in ('deleted', 'undeleted')
)

{{ airbyte_asana.tombstones('task', 'tasks') }}
union all
{{ airbyte_asana.tombstones('task', 'subtasks') }}
union all
{{ airbyte_asana.tombstones('project', 'projects') }}
union all
{{ airbyte_asana.tombstones('section', ['sections', 'sections_compact']) }}
union all
{{ airbyte_asana.tombstones('story', ['stories', 'stories_compact']) }}
union all
{{ airbyte_asana.tombstones('attachment', ['attachments', 'attachments_compact']) }}
union all
select kind, gid, name, deleted_at, extracted_at
from restores_and_deletions
where place = 1 and action = 'deleted'
