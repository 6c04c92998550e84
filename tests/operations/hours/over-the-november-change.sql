-- first road
-- $1 = datetime.date(2026, 10, 30)
-- $2 = datetime.date(2026, 11, 2)
-- $3 = datetime.datetime(2026, 10, 31, 14, 45, tzinfo=datetime.timezone.utc)
-- $4 = datetime.datetime(2026, 11, 1, 14, 45, tzinfo=datetime.timezone.utc)
-- $5 = datetime.datetime(2026, 11, 1, 15, 45, tzinfo=datetime.timezone.utc)
-- $6 = 'friends-outside-cal'
-- $7 = datetime.date(2026, 10, 31)
-- $8 = 'Delancey Street Foundation'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t1.day as "date",
            t1.open as "isOpen",
            t1.opens as "opens",
            t1.closes as "closes",
            t1.opens_at as "opensAt",
            t1.closes_at as "closesAt",
            t1.timezone as "timezone"
          from hours_on(t0.id, null::date, $1::date, $2::date) t1
          order by t1.day, t1.opens_at, t1.yard
          limit 100
        ) r) as "hours",
        open_at(t0.id, $3::timestamptz) as "dayBefore",
        open_at(t0.id, $4::timestamptz) as "dayOfChange",
        open_at(t0.id, $5::timestamptz) as "anHourLater"
      from visitor_centers t0
      where t0.slug = $6::text
    ) r) as "visitorCenter",
    (select r from (
      select array(select r from (
          select t2.name as "name",
            t2.hours_text as "hoursText",
            array(select r from (
              select t3.opens_at as "opensAt",
                t3.closes_at as "closesAt"
              from hours_on(t2.id, null::date, $7::date, $2::date) t3
              order by t3.day, t3.opens_at, t3.yard
              limit 100
            ) r) as "hours",
            (select r from (
              select t4.opens_at as "opensAt"
              from next_opening(t2.id) t4
            ) r) as "nextOpening"
          from services t2
          where t2.name = $8::text
            and (t2.id in (
            select t5.key
            from services_open_at() t5(key)
          )) is true
          order by t2.name, t2.id
          limit 20
        ) r) as "nodes"
    ) r) as "aroundTheClock"
) r;
