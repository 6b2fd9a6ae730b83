-- Tasks that no longer exist: deleted themselves, below a deleted task, or only in deleted projects.
-- A parent or project that is merely unknown removes nothing.
with deleted as (
    -- A restored task may have a tombstone in one stream and a newer row in the other.
    select tombstones.gid
    from {{ ref('int_asana__deleted') }} as tombstones
    left join {{ ref('int_asana__task_rows') }} as task_rows on tombstones.gid = task_rows.gid
    where
        tombstones.kind = 'task'
        and (task_rows.gid is null or task_rows.extracted_at < tombstones.extracted_at)
),

only_in_deleted_projects as (
    select own.task_gid as gid
    from {{ ref('int_asana__own_projects') }} as own
    inner join {{ ref('int_asana__task_rows') }} as task_rows on own.task_gid = task_rows.gid
    where task_rows.parent_gid is null
    group by own.task_gid
    having min(case when own.is_deleted then 1 else 0 end) = 1
),

gone as (
    select gid from deleted
    union all
    select gid from only_in_deleted_projects
),

gone_with_all_below as (
    select gid from gone
    union all
    select ancestors.task_gid as gid
    from {{ ref('int_asana__task_ancestors') }} as ancestors
    inner join gone on ancestors.ancestor_gid = gone.gid
    union all
    select ancestors.task_gid as gid
    from {{ ref('int_asana__task_ancestors') }} as ancestors
    inner join gone on ancestors.parent_gid = gone.gid
)

select distinct gid from gone_with_all_below
