-- first road
-- $1 = '06087'
-- $2 = True
-- $3 = '06087'
-- $4 = False
-- $5 = 3
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from services t0
          where t0.listed
            and exists (
            select
            from served_counties t1
            where t1.service_id = t0.id
              and t1.county_fips = $1::text
          )
        ) as "totalCount",
        array(select r from (
          select t2.name as "name",
            (select r from (
              select t3.name as "name"
              from counties t3
              where t3.fips = t2.county_fips
            ) r) as "county",
            array(select r from (
              select t4.statewide as "statewide",
                (select r from (
                  select t5.name as "name"
                  from counties t5
                  where t5.fips = t4.county_fips
                ) r) as "county",
                t4.description as "description"
              from service_areas t4
              where t4.service_id = t2.id
              order by t4.county_fips, t4.id
              limit 100
            ) r) as "serviceAreas"
          from services t2
          where t2.listed
            and exists (
            select
            from served_counties t6
            where t6.service_id = t2.id
              and t6.county_fips = $1::text
          )
          order by t2.name, t2.id
          limit 3
        ) r) as "nodes"
    ) r) as "served",
    (select r from (
      select (
          select count(*)
          from services t7
          where t7.listed
            and t7.county_fips = $1::text
        ) as "totalCount"
    ) r) as "offered",
    (select r from (
      select (select r from (
          select array(select r from (
              select (select r from (
                  select t10.name as "name"
                  from providers t10
                  where t10.id = t9.provider_id
                ) r) as "provider"
              from services t9
              where exists (
                select
                from served_counties t12
                where t12.county_fips = t8.fips
                  and t9.id = t12.service_id
              )
                and t9.listed
                and not exists (
                select
                from service_areas t11
                where t11.service_id = t9.id
                  and t11.statewide = $2::bool
              )
              order by t9.name, t9.id
              limit 20
            ) r) as "nodes"
        ) r) as "servedBy"
      from counties t8
      where t8.fips = $3::text
    ) r) as "county",
    (select r from (
      select array(select r from (
          select (select r from (
              select (select r from (
                  select t18.name as "name"
                  from counties t18
                  where t18.fips = t15.c0
                ) r) as "servedCounty"
            ) r) as "key",
            t15.c1 as "count"
          from (
            select t17.value as "c0",
              count(*) as "c1"
            from services t13
            left join lateral (
              select t16.county_fips as "value"
              from served_counties t16
              where t16.service_id = t13.id
              group by 1
            ) t17 on true
            where t13.listed
              and exists (
              select
              from service_areas t14
              where t14.service_id = t13.id
                and t14.statewide = $4::bool
            )
            group by 1
          ) t15
          order by t15.c1 desc, t15.c0
          limit $5::int8
        ) r) as "groupBy"
    ) r) as "byCounty"
) r;
