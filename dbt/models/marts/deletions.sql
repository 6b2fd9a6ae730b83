-- What was deleted and did not come back.
with existing as (
    select gid, extracted_at from {{ ref('int_asana__task_rows') }}
    union all
    select gid, extracted_at from {{ ref('stg_asana__projects') }}
    union all
    select gid, extracted_at from {{ ref('stg_asana__sections') }}
    union all
    select gid, extracted_at from {{ ref('stg_asana__stories') }}
    union all
    select gid, extracted_at from {{ ref('stg_asana__attachments') }}
),

gone as (
    select
        deleted.kind,
        deleted.gid,
        max(deleted.name) as name,
        min(deleted.deleted_at) as deleted_at
    from {{ ref('int_asana__deleted') }} as deleted
    left join existing
        on deleted.gid = existing.gid and not coalesce(existing.extracted_at < deleted.extracted_at, false)
    where existing.gid is null
    group by deleted.kind, deleted.gid
),

told as (
    select
        resource_gid,
        user_gid,
        row_number() over (partition by resource_gid order by created_at desc) as place
    from {{ ref('stg_asana__events') }}
    where action = 'deleted'
)

select
    gone.kind,
    gone.gid,
    gone.name,
    gone.deleted_at,
    told.user_gid as deleted_by_gid,
    users.name as deleted_by_name
from gone
left join told on gone.gid = told.resource_gid and told.place = 1
left join {{ ref('stg_asana__users') }} as users on told.user_gid = users.gid
