-- The newest status update of each project, portfolio and goal.
with numbered as (
    select
        *,
        row_number() over (partition by parent_gid order by created_at desc, gid desc) as place
    from {{ ref('stg_asana__status_updates') }}
)

select
    parent_gid,
    status_type as status,
    title as status_title,
    text as status_text,
    author_gid as status_by_gid,
    author_name as status_by_name,
    created_at as status_at
from numbered
where place = 1
