-- first road
-- $1 = 'OPEN'
-- $2 = 'k%'
-- $3 = 'TRANSIT_SHUTTLE'
-- $4 = 'ENDED'
-- $5 = 2500
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from institutions t0
          where t0.status = $1::text
            and exists (
            select
            from counties t1
            where t1.fips = t0.county_fips
              and t1.name ilike $2::text
          )
            and t0.security_levels @> '{IV}'::text[]
            and exists (
            select
            from visitor_centers t2
            where t2.institution_id = t0.id
              and t2.listed
              and exists (
              select
              from visitor_center_amenities t3
              where t3.visitor_center_id = t2.id
                and t3.amenity_code = $3::text
            )
          )
            and not exists (
            select
            from program_offerings t4
            where t4.institution_id = t0.id
              and t4.status = $4::text
          )
            and exists (
            select
            from current_population_counts t5
            where t5.institution_id = t0.id
              and t5.in_custody > $5::int4
          )
        ) as "totalCount",
        array(select r from (
          select t6.code as "code",
            t6.opened_year as "openedYear",
            t6.security_levels as "securityLevels",
            (select r from (
              select t7.name as "name"
              from counties t7
              where t7.fips = t6.county_fips
            ) r) as "county",
            (select r from (
              select t8.in_custody as "inCustody"
              from current_population_counts t8
              where t8.institution_id = t6.id
            ) r) as "population"
          from institutions t6
          where t6.status = $1::text
            and exists (
            select
            from counties t9
            where t9.fips = t6.county_fips
              and t9.name ilike $2::text
          )
            and t6.security_levels @> '{IV}'::text[]
            and exists (
            select
            from visitor_centers t10
            where t10.institution_id = t6.id
              and t10.listed
              and exists (
              select
              from visitor_center_amenities t11
              where t11.visitor_center_id = t10.id
                and t11.amenity_code = $3::text
            )
          )
            and not exists (
            select
            from program_offerings t12
            where t12.institution_id = t6.id
              and t12.status = $4::text
          )
            and exists (
            select
            from current_population_counts t13
            where t13.institution_id = t6.id
              and t13.in_custody > $5::int4
          )
          order by (
            select t14.name
            from counties t14
            where t14.fips = t6.county_fips
          ), t6.opened_year desc, t6.id desc
          limit 20
        ) r) as "nodes"
    ) r) as "institutions"
) r;
