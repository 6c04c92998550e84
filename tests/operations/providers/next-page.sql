-- first road
-- $1 = 'ALT Recovery Group 2'
-- $2 = UUID('60feca63-0ce5-5f6f-8bc8-274a20fa15a7')
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t6.name,
          t6.county_fips,
          row_number() over() as ".n"
        from (
          select t5.name,
            t5.county_fips
          from providers t5
          where t5.listed
            and (t5.name, t5.id) > ($1::text, $2::uuid)
          order by t5.name, t5.id
          limit 3
        ) t6
      )
      select array(select r from (
          select t1.name as "name",
            (select r from (
              select t2.name as "name"
              from counties t2
              where t2.fips = t1.county_fips
            ) r) as "county"
          from p0 t1
          where t1.".n" <= 2
          order by t1.".n"
        ) r) as "nodes",
        (select r from (
          select exists (
              select
              from providers t3
              where t3.listed
                and (t3.name, t3.id) <= ($1::text, $2::uuid)
            ) as "hasPreviousPage",
            exists (
              select
              from p0 t4
              where t4.".n" > 2
            ) as "hasNextPage"
        ) r) as "pageInfo"
    ) r) as "providers"
) r;
