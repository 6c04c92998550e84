-- first road
-- $1 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select t0.code as "code",
        t0.status as "status",
        (select r from (
          select t1.public_city as "city"
          from locations t1
          where t1.id = t0.location_id
        ) r) as "location",
        (select r from (
          select t2.name as "name"
          from counties t2
          where t2.fips = t0.county_fips
        ) r) as "county"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution"
) r;
