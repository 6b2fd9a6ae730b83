-- The newest row of each task: one that is in a project and below another task is in both streams.
with every_row as (
    select *, 0 as place from {{ ref('stg_asana__tasks') }}
    union all
    select *, 1 as place from {{ ref('stg_asana__subtasks') }}
),

numbered as (
    select
        *,
        row_number() over (
            partition by gid
            order by case when extracted_at is null then 1 else 0 end, extracted_at desc, place
        ) as age
    from every_row
)

select * from numbered
where age = 1
