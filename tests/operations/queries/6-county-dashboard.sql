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
                coalesce(t3.label_es, (
                  select t4.text
                  from translations t4
                  where t4.category_code = t3.code
                    and t4.field = 'label'
                    and t4.original = t3.label_en
                    and t4.language = 'ES'
                ), t3.label_en) as "label"
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
              select t5.code as "code",
                (select r from (
                  select t6.in_custody as "inCustody"
                  from current_population_counts t6
                  where t6.institution_id = t5.id
                ) r) as "population",
                visitor_center_required(t5.id, null::date) as "visitorCenterRequired",
                array(select r from (
                  select t7.kind as "kind"
                  from visitor_service_gaps t7
                  where t7.institution_id = t5.id
                  order by t7.key
                  limit 100
                ) r) as "visitorServiceGaps"
              from institutions t5
              where t5.county_fips = t0.fips
              order by t5.name, t5.id
              limit 20
            ) r) as "nodes"
        ) r) as "institutions",
        array(select r from (
          select t8.code as "code"
          from categories t8
          where exists (
            select
            from unserved_categories t9
            where t9.county_fips = t0.fips
              and t8.code = t9.category_code
          )
          order by t8.label_en, t8.code
          limit 100
        ) r) as "gaps",
        (select r from (
          select array(select r from (
              select t10.name as "name",
                t10.referral_route as "referralRoute",
                t10.max_length_days as "maxLengthDays"
              from reentry_programs t10
              where exists (
                select
                from reentry_program_counties t11
                where t11.county_fips = t0.fips
                  and t10.id = t11.reentry_program_id
              )
              order by t10.name, t10.id
              limit 20
            ) r) as "nodes"
        ) r) as "reentryPrograms"
      from counties t0
      where t0.fips = $1::text
    ) r) as "county",
    (select r from (
      select (
          select count(*)
          from services t12
          where t12.listed
            and t12.county_fips is null
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select (select r from (
                  select t17.code as "code"
                  from categories t17
                  where t17.code = t14.c0
                ) r) as "category"
            ) r) as "key",
            t14.c1 as "count"
          from (
            select t16.value as "c0",
              count(*) as "c1"
            from services t13
            left join lateral (
              select t15.category_code as "value"
              from service_categories t15
              where t15.service_id = t13.id
              group by 1
            ) t16 on true
            where t13.listed
              and t13.county_fips is null
            group by 1
          ) t14
          order by t14.c1 desc, t14.c0
          limit $2::int8
        ) r) as "groupBy"
    ) r) as "somewhere",
    (select r from (
      select array(select r from (
          select t18.name as "name",
            t18.referral_route as "referralRoute",
            t18.max_length_days as "maxLengthDays"
          from reentry_programs t18
          where t18.statewide = $3::bool
          order by t18.name, t18.id
          limit 20
        ) r) as "nodes"
    ) r) as "inTheWholeState"
) r;
