-- first road
-- $1 = 'LEGAL'
-- $2 = 20
-- $3 = 3
-- $4 = 2
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from providers t0
          where t0.listed
            and exists (
            select
            from services t1
            where t1.provider_id = t0.id
              and t1.listed
              and exists (
              select
              from service_categories t2
              where t2.service_id = t1.id
                and t2.category_code = $1::text
            )
          )
        ) as "totalCount",
        array(select r from (
          select t3.name as "name"
          from providers t3
          where t3.listed
            and exists (
            select
            from services t4
            where t4.provider_id = t3.id
              and t4.listed
              and exists (
              select
              from service_categories t5
              where t5.service_id = t4.id
                and t5.category_code = $1::text
            )
          )
          order by t3.name, t3.id
          limit 2
        ) r) as "nodes",
        array(select r from (
          select (select r from (
              select t9.c0 as "orgType"
            ) r) as "key",
            t9.c1 as "count"
          from (
            select t6.org_type as "c0",
              count(*) as "c1"
            from providers t6
            where t6.listed
              and exists (
              select
              from services t7
              where t7.provider_id = t6.id
                and t7.listed
                and exists (
                select
                from service_categories t8
                where t8.service_id = t7.id
                  and t8.category_code = $1::text
              )
            )
            group by 1
          ) t9
          order by t9.c1 desc, t9.c0
          limit $2::int8
        ) r) as "types",
        array(select r from (
          select (select r from (
              select (select r from (
                  select t14.fips as "fips",
                    t14.name as "name"
                  from counties t14
                  where t14.fips = t13.c0
                ) r) as "county"
            ) r) as "key",
            t13.c1 as "count"
          from (
            select t10.county_fips as "c0",
              count(*) as "c1"
            from providers t10
            where t10.listed
              and exists (
              select
              from services t11
              where t11.provider_id = t10.id
                and t11.listed
                and exists (
                select
                from service_categories t12
                where t12.service_id = t11.id
                  and t12.category_code = $1::text
              )
            )
            group by 1
          ) t13
          order by t13.c1 desc, t13.c0
          limit $3::int8
        ) r) as "counties",
        array(select r from (
          select (select r from (
              select t18.c0 as "countyFips",
                t18.c1 as "orgType"
            ) r) as "key",
            t18.c2 as "count"
          from (
            select t15.county_fips as "c0",
              t15.org_type as "c1",
              count(*) as "c2"
            from providers t15
            where t15.listed
              and exists (
              select
              from services t16
              where t16.provider_id = t15.id
                and t16.listed
                and exists (
                select
                from service_categories t17
                where t17.service_id = t16.id
                  and t17.category_code = $1::text
              )
            )
            group by 1, 2
          ) t18
          order by t18.c2 desc, t18.c0, t18.c1
          limit $4::int8
        ) r) as "pairs"
    ) r) as "providers"
) r;
