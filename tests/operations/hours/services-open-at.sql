-- first road
-- $1 = ['HOUSING', 'SUBSTANCE_USE', 'HEALTH']
-- $2 = '06075'
-- $3 = datetime.datetime(2026, 7, 3, 18, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=61200)))
-- $4 = None
-- $5 = datetime.date(2026, 7, 3)
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
            and (t0.id in (
            select t2.key
            from services_open_at($3::timestamptz) t2(key)
          )) is true
        ) as "totalCount",
        array(select r from (
          select t3.name as "name",
            t3.hours_text as "hoursText",
            hours_in_words(t3.id, $4::text) as "hoursInWords",
            open_at(t3.id, $3::timestamptz) as "openAt",
            array(select r from (
              select t4.opens_at as "opensAt",
                t4.closes_at as "closesAt"
              from hours_on(t3.id, $5::date, null::date, null::date) t4
              order by t4.day, t4.opens_at, t4.yard
              limit 100
            ) r) as "hours",
            (select r from (
              select array(select r from (
                  select open_at(t5.id, $3::timestamptz) as "openAt",
                    (select r from (
                      select t6.opens_at as "opensAt"
                      from next_opening(t5.id) t6
                    ) r) as "nextOpening"
                  from services_at_locations t5
                  where t5.service_id = t3.id
                    and t5.listed
                  order by t5.id
                  limit 20
                ) r) as "nodes"
            ) r) as "atLocations"
          from services t3
          where t3.listed
            and exists (
            select
            from service_categories t7
            where t7.service_id = t3.id
              and t7.category_code = any($1::text[])
          )
            and t3.county_fips = $2::text
            and (t3.id in (
            select t8.key
            from services_open_at($3::timestamptz) t8(key)
          )) is true
          order by t3.name, t3.id
          limit 3
        ) r) as "nodes"
    ) r) as "services",
    (select r from (
      select (
          select count(*)
          from services t9
          where t9.listed
            and (t9.id in (
            select t10.key
            from services_open_at($3::timestamptz) t10(key)
          )) is true
        ) as "totalCount"
    ) r) as "open",
    (select r from (
      select (
          select count(*)
          from services t11
          where t11.listed
            and (t11.id in (
            select t12.key
            from services_open_at() t12(key)
          )) is true
        ) as "totalCount"
    ) r) as "openNow",
    (select r from (
      select (
          select count(*)
          from services t13
          where t13.listed
            and (t13.id in (
            select t14.key
            from services_open_at() t14(key)
          )) is not true
        ) as "totalCount"
    ) r) as "notKnownToBeOpen"
) r;
