-- first road
-- $1 = 4
-- $2 = 'LEGAL'
select row_to_json(r)
from (
  select (select r from (
      select t0.total as "total",
        t0.verified as "verified",
        t0.stale as "stale",
        t0.never_verified as "neverVerified",
        share(t0.verified, t0.total) as "verifiedShare",
        share(t0.stale, t0.total) as "staleShare"
      from service_counts() t0
    ) r) as "serviceCounts",
    array(select r from (
      select (select r from (
          select t2.code as "code"
          from categories t2
          where t2.code = t1.category_code
        ) r) as "category",
        t1.total as "total",
        t1.never_verified as "neverVerified"
      from services_by_category() t1
      order by t1.total desc, t1.category_code
      limit 100
    ) r) as "servicesByCategory",
    (select r from (
      select (
          select count(*)
          from counties t3
        ) as "totalCount",
        array(select r from (
          select t4.name as "name",
            provider_count(t4.fips) as "providerCount",
            (select r from (
              select t5.total as "total",
                share(t5.verified, t5.total) as "verifiedShare"
              from service_counts(t4.fips) t5
            ) r) as "serviceCounts"
          from counties t4
          order by provider_count(t4.fips) desc, t4.fips desc
          limit $1::int8
        ) r) as "nodes",
        array(select r from (
          select (select r from (
              select (select r from (
                  select t10.code as "code"
                  from categories t10
                  where t10.code = t7.c0
                ) r) as "categoryWithoutActiveService"
            ) r) as "key",
            t7.c1 as "count"
          from (
            select t9.value as "c0",
              count(*) as "c1"
            from counties t6
            left join lateral (
              select t8.category_code as "value"
              from unserved_categories t8
              where t8.county_fips = t6.fips
            ) t9 on true
            group by 1
          ) t7
          order by t7.c1 desc, t7.c0
          limit $1::int8
        ) r) as "groupBy"
    ) r) as "counties",
    (select r from (
      select (
          select count(*)
          from counties t11
          where exists (
            select
            from unserved_categories t12
            where t12.county_fips = t11.fips
              and t12.category_code = $2::text
          )
        ) as "totalCount"
    ) r) as "withoutLegalHelp",
    (select r from (
      select array(select r from (
          select (select r from (
              select (select r from (
                  select t17.name as "name"
                  from counties t17
                  where t17.fips = t14.c0
                ) r) as "county",
                (select r from (
                  select t18.code as "code"
                  from categories t18
                  where t18.code = t14.c1
                ) r) as "category"
            ) r) as "key",
            t14.c2 as "count"
          from (
            select t13.county_fips as "c0",
              t16.value as "c1",
              count(*) as "c2"
            from services t13
            left join lateral (
              select t15.category_code as "value"
              from service_categories t15
              where t15.service_id = t13.id
            ) t16 on true
            where t13.listed
            group by 1, 2
          ) t14
          order by t14.c2 desc, t14.c0, t14.c1
          limit $1::int8
        ) r) as "byCountyAndCategory",
        array(select r from (
          select (select r from (
              select t20.c0 as "countyFips",
                t20.c1 as "freshnessState"
            ) r) as "key",
            t20.c2 as "count"
          from (
            select t19.county_fips as "c0",
              freshness_state(t19.fresh_until, t19.aging_until) as "c1",
              count(*) as "c2"
            from services t19
            where t19.listed
            group by 1, 2
          ) t20
          order by t20.c2 desc, t20.c0, t20.c1
          limit $1::int8
        ) r) as "byCountyAndFreshness",
        array(select r from (
          select (select r from (
              select t22.c0 as "language"
            ) r) as "key",
            t22.c1 as "count"
          from (
            select t23.value as "c0",
              count(*) as "c1"
            from services t21
            left join unnest(t21.languages) t23(value) on true
            where t21.listed
            group by 1
          ) t22
          order by t22.c1 desc, t22.c0
          limit $1::int8
        ) r) as "byLanguage"
    ) r) as "services",
    (select r from (
      select array(select r from (
          select (select r from (
              select (select r from (
                  select t28.code as "code"
                  from categories t28
                  where t28.code = t25.c0
                ) r) as "category"
            ) r) as "key",
            t25.c1 as "count"
          from (
            select t27.value as "c0",
              count(*) as "c1"
            from programs t24
            left join lateral (
              select t26.category_code as "value"
              from program_categories t26
              where t26.program_id = t24.id
            ) t27 on true
            group by 1
          ) t25
          order by t25.c1 desc, t25.c0
          limit $1::int8
        ) r) as "byCategory",
        array(select r from (
          select (select r from (
              select (select r from (
                  select t34.name as "name"
                  from counties t34
                  where t34.fips = t30.c0
                ) r) as "county"
            ) r) as "key",
            t30.c1 as "count"
          from (
            select t35.c1 as "c0",
              count(*) as "c1"
            from (
              select t29.id as "c0",
                t33.value as "c1"
              from programs t29
              left join lateral (
                select t32.county_fips as "value"
                from ongoing_offerings t31
                join institutions t32 on t32.id = t31.institution_id
                where t31.program_id = t29.id
              ) t33 on true
              group by 1, 2
            ) t35
            group by 1
          ) t30
          order by t30.c1 desc, t30.c0
          limit $1::int8
        ) r) as "byCounty"
    ) r) as "programs",
    (select r from (
      select array(select r from (
          select (select r from (
              select (select r from (
                  select t39.name as "name"
                  from counties t39
                  where t39.fips = t37.c0
                ) r) as "county",
                t37.c1 as "evidence"
            ) r) as "key",
            t37.c2 as "count"
          from (
            select (
                select t38.county_fips
                from institutions t38
                where t38.id = t36.institution_id
              ) as "c0",
              t36.evidence as "c1",
              count(*) as "c2"
            from program_offerings t36
            group by 1, 2
          ) t37
          order by t37.c2 desc, t37.c0, t37.c1
          limit $1::int8
        ) r) as "groupBy"
    ) r) as "programOfferings",
    (select r from (
      select array(select r from (
          select (select r from (
              select (select r from (
                  select t46.name as "name"
                  from counties t46
                  where t46.fips = t41.c0
                ) r) as "county",
                (select r from (
                  select t47.code as "code"
                  from categories t47
                  where t47.code = t41.c1
                ) r) as "category"
            ) r) as "key",
            t41.c2 as "count"
          from (
            select t43.value as "c0",
              t45.value as "c1",
              count(*) as "c2"
            from reentry_programs t40
            left join lateral (
              select t42.county_fips as "value"
              from reentry_program_counties t42
              where t42.reentry_program_id = t40.id
            ) t43 on true
            left join lateral (
              select t44.category_code as "value"
              from reentry_program_categories t44
              where t44.reentry_program_id = t40.id
            ) t45 on true
            group by 1, 2
          ) t41
          order by t41.c2 desc, t41.c0, t41.c1
          limit $1::int8
        ) r) as "groupBy"
    ) r) as "reentryPrograms",
    (select r from (
      select array(select r from (
          select (select r from (
              select (select r from (
                  select t50.name as "name"
                  from counties t50
                  where t50.fips = t49.c0
                ) r) as "county",
                t49.c1 as "status"
            ) r) as "key",
            t49.c2 as "count",
            (select r from (
              select (select r from (
                  select t49.c3 as "sum"
                ) r) as "designCapacity"
            ) r) as "aggregate"
          from (
            select t48.county_fips as "c0",
              t48.status as "c1",
              count(*) as "c2",
              sum(t48.design_capacity)::float8 as "c3"
            from institutions t48
            group by 1, 2
          ) t49
          order by t49.c2 desc, t49.c0, t49.c1
          limit $1::int8
        ) r) as "groupBy"
    ) r) as "institutions"
) r;
