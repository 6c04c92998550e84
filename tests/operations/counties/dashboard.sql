-- first road
-- $1 = '06073'
-- $2 = 2
-- $3 = True
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        provider_count(t0.fips) as "providerCount",
        (select r from (
          select t1.total as "total",
            t1.verified as "verified",
            t1.stale as "stale",
            t1.never_verified as "neverVerified",
            share(t1.verified, t1.total) as "verifiedShare"
          from service_counts(t0.fips) t1
        ) r) as "serviceCounts",
        array(select r from (
          select (select r from (
              select t3.code as "code",
                coalesce(t3.label_es, t3.label_en) as "label"
              from categories t3
              where t3.code = t2.category_code
            ) r) as "category",
            t2.total as "total",
            t2.verified as "verified",
            t2.stale as "stale"
          from services_by_category(t0.fips) t2
          order by t2.total desc, t2.category_code
          limit 100
        ) r) as "servicesByCategory",
        (select r from (
          select array(select r from (
              select t4.code as "code",
                (select r from (
                  select t5.in_custody as "inCustody"
                  from current_population_counts t5
                  where t5.institution_id = t4.id
                ) r) as "population",
                visitor_center_required(t4.id, null::date) as "visitorCenterRequired",
                array(select r from (
                  select t6.kind as "kind"
                  from visitor_service_gaps t6
                  where t6.institution_id = t4.id
                  order by t6.key
                  limit 100
                ) r) as "visitorServiceGaps"
              from institutions t4
              where t4.county_fips = t0.fips
              order by t4.name, t4.id
              limit 20
            ) r) as "nodes"
        ) r) as "institutions",
        array(select r from (
          select t7.code as "code"
          from categories t7
          where exists (
            select
            from unserved_categories t8
            where t8.county_fips = t0.fips
              and t7.code = t8.category_code
          )
          order by t7.label_en, t7.code
          limit 100
        ) r) as "gaps",
        (select r from (
          select array(select r from (
              select t9.name as "name",
                t9.referral_route as "referralRoute",
                t9.max_length_days as "maxLengthDays"
              from reentry_programs t9
              where exists (
                select
                from reentry_program_counties t10
                where t10.county_fips = t0.fips
                  and t9.id = t10.reentry_program_id
              )
              order by t9.name, t9.id
              limit 20
            ) r) as "nodes"
        ) r) as "reentryPrograms"
      from counties t0
      where t0.fips = $1::text
    ) r) as "county",
    (select r from (
      select (
          select count(*)
          from services t11
          where t11.listed
            and t11.county_fips is null
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select (select r from (
                  select t16.code as "code"
                  from categories t16
                  where t16.code = t13.c0
                ) r) as "category"
            ) r) as "key",
            t13.c1 as "count"
          from (
            select t15.value as "c0",
              count(*) as "c1"
            from services t12
            left join lateral (
              select t14.category_code as "value"
              from service_categories t14
              where t14.service_id = t12.id
              group by 1
            ) t15 on true
            where t12.listed
              and t12.county_fips is null
            group by 1
          ) t13
          order by t13.c1 desc, t13.c0
          limit $2::int8
        ) r) as "groupBy"
    ) r) as "somewhere",
    (select r from (
      select array(select r from (
          select t17.name as "name",
            t17.referral_route as "referralRoute",
            t17.max_length_days as "maxLengthDays"
          from reentry_programs t17
          where t17.statewide = $3::bool
          order by t17.name, t17.id
          limit 20
        ) r) as "nodes"
    ) r) as "inTheWholeState"
) r;
