-- first road
-- $1 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          select t1.name as "name",
            t1.fips as "fips",
            (select r from (
              select (
                  select count(*)
                  from institutions t2
                  where t2.county_fips = t1.fips
                ) as "totalCount"
            ) r) as "institutions"
          from counties t1
          where t1.fips = t0.county_fips
        ) r) as "county",
        t0.code as "code",
        (select r from (
          select t3.public_city as "city"
          from locations t3
          where t3.id = t0.location_id
        ) r) as "location",
        t0.name as "name"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution"
) r;
