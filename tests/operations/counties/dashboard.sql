-- first road
-- $1 = 20
-- $2 = '06073'
-- $3 = 'DIRECTORY'
-- $4 = '06073'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        (select r from (
          select (
              select count(*)
              from providers t1
              where t1.county_fips = t0.fips
                and t1.listed
            ) as "totalCount",
            array(select r from (
              select (select r from (
                  select t3.c0 as "orgType"
                ) r) as "key",
                t3.c1 as "count"
              from (
                select t2.org_type as "c0",
                  count(*) as "c1"
                from providers t2
                where t2.county_fips = t0.fips
                  and t2.listed
                group by 1
              ) t3
              order by t3.c1 desc, t3.c0
              limit $1::int8
            ) r) as "groupBy"
        ) r) as "providers",
        (select r from (
          select array(select r from (
              select t4.code as "code",
                (select r from (
                  select t5.in_custody as "inCustody"
                  from current_population_counts t5
                  where t5.institution_id = t4.id
                ) r) as "population"
              from institutions t4
              where t4.county_fips = t0.fips
              order by t4.name, t4.id
              limit 20
            ) r) as "nodes"
        ) r) as "institutions",
        (select r from (
          select array(select r from (
              select t6.name as "name",
                t6.referral_route as "referralRoute",
                t6.max_length_days as "maxLengthDays"
              from reentry_programs t6
              where exists (
                select
                from reentry_program_counties t7
                where t7.county_fips = t0.fips
                  and t6.id = t7.reentry_program_id
              )
              order by t6.name, t6.id
              limit 20
            ) r) as "nodes"
        ) r) as "reentryPrograms"
      from counties t0
      where t0.fips = $2::text
    ) r) as "county",
    (select r from (
      select (
          select count(*)
          from categories t8
          where t8.vocabulary = $3::text
            and not exists (
            select
            from services t10
            where exists (
              select
              from service_categories t11
              where t11.category_code = t8.code
                and t10.id = t11.service_id
            )
              and t10.listed
              and t10.county_fips = $4::text
          )
        ) as "totalCount",
        array(select r from (
          select t12.code as "code"
          from categories t12
          where t12.vocabulary = $3::text
            and not exists (
            select
            from services t14
            where exists (
              select
              from service_categories t15
              where t15.category_code = t12.code
                and t14.id = t15.service_id
            )
              and t14.listed
              and t14.county_fips = $4::text
          )
          order by t12.code
          limit 50
        ) r) as "nodes"
    ) r) as "gaps"
) r;
