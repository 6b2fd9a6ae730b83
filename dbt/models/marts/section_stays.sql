-- A stay begins with the move into a section, the first one with the task's creation. It ends with the
-- next move within the project, or with the task's completion.
with moves as (
    select * from {{ ref('section_changes') }}
    where project_gid is not null and new_section_gid is not null
),

first_moves as (
    select
        *,
        row_number() over (partition by task_gid, project_gid order by changed_at, story_gid) as place
    from moves
),

entries as (
    select
        task_gid,
        project_gid,
        new_section_gid as section_gid,
        changed_at as entered_at,
        1 as place
    from moves
    union all
    select
        memberships.task_gid,
        memberships.project_gid,
        coalesce(first_moves.old_section_gid, memberships.section_gid) as section_gid,
        tasks.created_at as entered_at,
        0 as place
    from {{ ref('task_projects') }} as memberships
    inner join {{ ref('int_asana__tasks') }} as tasks on memberships.task_gid = tasks.gid
    left join first_moves
        on
            memberships.task_gid = first_moves.task_gid
            and memberships.project_gid = first_moves.project_gid
            and first_moves.place = 1
    where not memberships.is_inherited
),

stays as (
    select
        *,
        lead(entered_at) over (
            partition by task_gid, project_gid
            order by entered_at, place
        ) as next_entered_at
    from entries
)

select
    stays.task_gid,
    tasks.name as task_name,
    stays.project_gid,
    projects.name as project_name,
    stays.section_gid,
    sections.name as section_name,
    stays.entered_at,
    case
        when tasks.completed_at is null then stays.next_entered_at
        when stays.next_entered_at is null then tasks.completed_at
        when stays.next_entered_at < tasks.completed_at then stays.next_entered_at
        else tasks.completed_at
    end as left_at,
    stays.next_entered_at is null and not tasks.is_completed as is_current
from stays
inner join {{ ref('int_asana__tasks') }} as tasks on stays.task_gid = tasks.gid
inner join {{ ref('stg_asana__sections') }} as sections on stays.section_gid = sections.gid
left join {{ ref('int_asana__projects') }} as projects on stays.project_gid = projects.gid
