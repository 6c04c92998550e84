-- first road
-- $1 = 3000
-- $2 = ['Kings', 'Kern']
-- $3 = True
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from visitor_centers t0
          where t0.listed
            and (population_used(t0.institution_id, null::date) >= $1::int4 or t0.van_notice_days is not null)
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
              and t1.security_levels @> '{IV}'::text[]
          )
            and visitor_center_required(t0.institution_id, null::date) = $3::bool
        ) as "totalCount",
        array(select r from (
          select t3.slug as "slug",
            population_used(t3.institution_id, null::date) as "populationUsed",
            (select r from (
              select t4.code as "code"
              from institutions t4
              where t4.id = t3.institution_id
            ) r) as "institution"
          from visitor_centers t3
          where t3.listed
            and (population_used(t3.institution_id, null::date) >= $1::int4 or t3.van_notice_days is not null)
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
              and t5.security_levels @> '{IV}'::text[]
          )
            and visitor_center_required(t3.institution_id, null::date) = $3::bool
          order by population_used(t3.institution_id, null::date) desc, t3.id desc
          limit 5
        ) r) as "nodes"
    ) r) as "visitorCenters"
) r;
