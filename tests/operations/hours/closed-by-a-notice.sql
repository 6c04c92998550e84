-- first road
-- $1 = None
-- $2 = datetime.datetime(2026, 2, 6, 13, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=57600)))
-- $3 = datetime.datetime(2026, 2, 13, 13, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=57600)))
-- $4 = datetime.datetime(2026, 2, 13, 9, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=57600)))
-- $5 = datetime.date(2026, 2, 6)
-- $6 = datetime.date(2026, 2, 13)
-- $7 = 'friends-outside-sq'
-- $8 = datetime.datetime(2026, 7, 3, 13, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=61200)))
-- $9 = 20
select row_to_json(r)
from (
  select (select r from (
      select t0.status as "status",
        t0.alert as "alert",
        hours_in_words(t0.id, $1::text) as "hoursInWords",
        open_at(t0.id, $2::timestamptz) as "onFriday",
        open_at(t0.id, $3::timestamptz) as "aWeekLater",
        hours_state(t0.id, $3::timestamptz) as "stateAWeekLater",
        open_at(t0.id, $4::timestamptz) as "aWeekLaterInTheMorning",
        array(select r from (
          select t1.day as "date",
            t1.open as "isOpen",
            t1.opens_at as "opensAt",
            t1.closes_at as "closesAt",
            t1.is_exception as "isException",
            t1.reason as "reason"
          from hours_on(t0.id, null::date, $5::date, $6::date) t1
          order by t1.day, t1.opens_at, t1.yard
          limit 100
        ) r) as "hours",
        array(select r from (
          select t2.starts_on as "startsOn",
            t2.ends_on as "endsOn",
            t2.closed as "closed",
            t2.reason as "reason"
          from schedule_exceptions t2
          where t2.visitor_center_id = t0.id
          order by t2.starts_on, t2.id
          limit 100
        ) r) as "scheduleExceptions"
      from visitor_centers t0
      where t0.slug = $7::text
    ) r) as "visitorCenter",
    (select r from (
      select array(select r from (
          select t3.slug as "slug"
          from visitor_centers t3
          where t3.listed
            and (t3.id in (
            select t4.key
            from centers_open_at($8::timestamptz) t4(key)
          )) is true
          order by t3.name, t3.id
          limit 20
        ) r) as "nodes"
    ) r) as "visitorCenters",
    (select r from (
      select array(select r from (
          select (select r from (
              select t6.c0 as "hoursState"
            ) r) as "key",
            t6.c1 as "count"
          from (
            select hours_state(t5.id, null::timestamptz) as "c0",
              count(*) as "c1"
            from visitor_centers t5
            where t5.listed
            group by 1
          ) t6
          order by t6.c1 desc, t6.c0
          limit $9::int8
        ) r) as "groupBy"
    ) r) as "states"
) r;
