{{ config(materialized='table') }}

-- Each task, and the tasks above it: level 0 is the task itself. `parent_gid` is the next one, which
-- may be unknown: not visible, not selected, or deleted.
with recursive ancestors as (
    select
        gid as task_gid,
        gid as ancestor_gid,
        parent_gid,
        0 as level
    from {{ ref('int_asana__task_rows') }}

    union all

    select
        ancestors.task_gid,
        above.gid as ancestor_gid,
        above.parent_gid,
        ancestors.level + 1 as level
    from ancestors
    inner join {{ ref('int_asana__task_rows') }} as above on ancestors.parent_gid = above.gid
    where ancestors.level < 20 -- Asana has 5 levels; rows that contradict each other must not loop
)

select * from ancestors
