select row_to_json(r)
from (
  select (select r from (
    with page as materialized (
      select p.*, row_number() over () as n
      from (
        select p.* from providers p
        where (p.name, p.id) > ($2, $3)
        order by p.name, p.id limit $1::int8 + 1
      ) p
    )
    select
      array(select r from (
        select p.slug, p.name, p.org_type as "orgType",
          (select r from (select n.name from counties n where n.fips = p.county_fips) r) as county
        from page p where p.n <= $1 order by p.n
      ) r) as nodes,
      (select r from (select
        exists (select from page where n > $1) as "hasNextPage",
        (select array[name, id::text] from page where n <= $1 order by n desc limit 1) as "endCursor"
      ) r) as "pageInfo"
  ) r) as providers
) r
