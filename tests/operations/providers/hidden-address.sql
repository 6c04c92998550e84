-- first road
-- $1 = 'domestic-violence-solutions-8e93d0'
-- $2 = 'Domestic Violence Solutions'
-- $3 = ['Santa Barbara', 'Santa Maria', 'Lompoc']
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        (select r from (
          select t1.name as "name"
          from counties t1
          where t1.fips = t0.county_fips
        ) r) as "county",
        (select r from (
          select t2.address_visibility as "addressVisibility",
            t2.public_street as "street",
            t2.public_city as "city",
            t2.public_zip as "zip",
            (select r from (
              select t3.name as "name"
              from counties t3
              where t3.fips = t2.public_county_fips
            ) r) as "county",
            t2.public_latitude as "latitude",
            t2.public_longitude as "longitude"
          from locations t2
          where t2.id = t0.location_id
        ) r) as "location"
      from providers t0
      where t0.slug = $1::text
    ) r) as "provider",
    (select r from (
      select (
          select count(*)
          from providers t4
          where t4.name = $2::text
            and exists (
            select
            from locations t5
            where t5.id = t4.location_id
              and t5.public_city = any($3::text[])
          )
        ) as "totalCount"
    ) r) as "byCity"
) r;
