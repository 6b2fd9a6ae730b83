-- Projects that were deleted and did not come back.
select distinct deleted.gid
from {{ ref('int_asana__deleted') }} as deleted
left join {{ ref('stg_asana__projects') }} as projects on deleted.gid = projects.gid
where
    deleted.kind = 'project'
    and (projects.gid is null or projects.extracted_at < deleted.extracted_at)
