-- second road
-- $1 = ['HOUSING', 'HOUSING_TRANSITIONAL']
-- $2 = '06075'
-- $3 = ['es']
-- $4 = ['EX_OFFENDERS', 'JUSTICE_IMPACTED']
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from services t0
          where t0.listed
            and exists (
            select
            from service_categories t1
            where t1.service_id = t0.id
              and t1.category_code = any($1::text[])
          )
            and t0.county_fips = $2::text
            and t0.languages @> $3::text[]
            and t0.serves && $4::text[]
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select t2.name as "name",
                t2.serves as "serves",
                t2.languages as "languages",
                t2.hours_text as "hoursText",
                (select r from (
                  select t3.name as "name",
                    array(select r from (
                      select t4.number as "number",
                        t4.number as ".number",
                        t4.extension as ".extension"
                      from phones t4
                      where t4.provider_id = t3.id
                      order by t4.number, t4.id
                      limit 100
                    ) r) as "phones"
                  from providers t3
                  where t3.id = t2.provider_id
                ) r) as "provider",
                (select r from (
                  select array(select r from (
                      select (select r from (
                          select t6.public_street as "street",
                            t6.public_city as "city",
                            t6.accessibility as "accessibility"
                          from locations t6
                          where t6.id = t5.location_id
                        ) r) as "location"
                      from services_at_locations t5
                      where t5.service_id = t2.id
                        and t5.listed
                      order by t5.id
                      limit 2
                    ) r) as "nodes"
                ) r) as "atLocations"
            ) r) as "node"
          from services t2
          where t2.listed
            and exists (
            select
            from service_categories t7
            where t7.service_id = t2.id
              and t7.category_code = any($1::text[])
          )
            and t2.county_fips = $2::text
            and t2.languages @> $3::text[]
            and t2.serves && $4::text[]
          order by t2.name, t2.id
          limit 3
        ) r) as "edges"
    ) r) as "services"
) r;
