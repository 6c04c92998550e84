-- first road
-- $1 = 'domestic-violence-solutions-8e93d0'
-- $2 = 'Domestic Violence Solutions'
-- $3 = ['Santa Barbara', 'Santa Maria', 'Lompoc']
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        (select r from (
          select t3.name as "name"
          from counties t3
          where t3.fips = t0.county_fips
        ) r) as "county",
        (select r from (
          select t4.address_visibility as "addressVisibility",
            t4.public_street as "street",
            t4.public_city as "city",
            t4.public_zip as "zip",
            (select r from (
              select t5.name as "name"
              from counties t5
              where t5.fips = t4.public_county_fips
            ) r) as "county",
            t4.public_latitude as "latitude",
            t4.public_longitude as "longitude"
          from locations t4
          where t4.id = t0.location_id
        ) r) as "location"
      from providers t0
      where t0.slug = coalesce((
        select t2.slug
        from aliases t1
        join providers t2 on t2.id = t1.key::uuid
        where t1.entity = 'providers'
          and t1.name = 'slug'
          and t1.value = $1::text
      ), $1::text)
    ) r) as "provider",
    (select r from (
      select (
          select count(*)
          from providers t6
          where t6.name = $2::text
            and exists (
            select
            from locations t7
            where t7.id = t6.location_id
              and t7.public_city = any($3::text[])
          )
        ) as "totalCount"
    ) r) as "byCity"
) r;
