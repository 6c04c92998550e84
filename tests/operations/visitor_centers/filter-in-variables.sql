-- first road
-- $1 = 3000
-- $2 = ['Kings', 'Kern']
-- $3 = ['IV']
-- $4 = True
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from visitor_centers t0
          where t0.listed
            and (t0.population_used >= $1::int4 or t0.van_notice_days is not null)
            and exists (
            select
            from institutions t1
            where t1.id = t0.institution_id
              and exists (
              select
              from counties t2
              where t2.fips = t1.county_fips
                and t2.name = any($2::text[])
            ) is not true
              and t1.security_levels @> $3::text[]
          )
            and t0.statutory = $4::bool
        ) as "totalCount",
        array(select r from (
          select t3.slug as "slug",
            t3.population_used as "populationUsed",
            (select r from (
              select t4.code as "code"
              from institutions t4
              where t4.id = t3.institution_id
            ) r) as "institution"
          from visitor_centers t3
          where t3.listed
            and (t3.population_used >= $1::int4 or t3.van_notice_days is not null)
            and exists (
            select
            from institutions t5
            where t5.id = t3.institution_id
              and exists (
              select
              from counties t6
              where t6.fips = t5.county_fips
                and t6.name = any($2::text[])
            ) is not true
              and t5.security_levels @> $3::text[]
          )
            and t3.statutory = $4::bool
          order by t3.population_used desc, t3.id desc
          limit 5
        ) r) as "nodes"
    ) r) as "visitorCenters"
) r;
