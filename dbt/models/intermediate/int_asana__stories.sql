{{ config(materialized='view') }}

-- Comments and changes of tasks that exist or that we do not know.
select stories.*
from {{ ref('stg_asana__stories') }} as stories
left join {{ ref('int_asana__gone_tasks') }} as gone on stories.target_gid = gone.gid
where gone.gid is null
