-- The projects in a portfolio, and those in the portfolios inside it. Portfolios may hold each other,
-- so the climb ends after 10 levels.
with recursive inside as (
    select
        gid as portfolio_gid,
        gid as inner_gid,
        0 as level
    from {{ ref('stg_asana__portfolios') }}

    union all

    select
        inside.portfolio_gid,
        items.gid as inner_gid,
        inside.level + 1 as level
    from inside
    inner join {{ ref('stg_asana__portfolio_items') }} as items on inside.inner_gid = items.portfolio_gid
    where items.type = 'portfolio' and inside.level < 10
),

found as (
    select
        inside.portfolio_gid,
        items.gid as project_gid,
        min(inside.level) as level,
        max(items.name) as item_name
    from inside
    inner join {{ ref('stg_asana__portfolio_items') }} as items on inside.inner_gid = items.portfolio_gid
    where items.type = 'project'
    group by inside.portfolio_gid, items.gid
)

select
    found.portfolio_gid,
    portfolios.name as portfolio_name,
    found.project_gid,
    coalesce(projects.name, found.item_name) as project_name,
    found.level
from found
inner join {{ ref('stg_asana__portfolios') }} as portfolios on found.portfolio_gid = portfolios.gid
left join {{ ref('int_asana__projects') }} as projects on found.project_gid = projects.gid
