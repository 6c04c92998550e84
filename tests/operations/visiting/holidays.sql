-- first road
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code",
            coalesce(t0.label_es, t0.label_en) as "label",
            t0.month as "month",
            t0.day as "day",
            t0.week as "week",
            t0.weekday as "weekday"
          from visiting_holidays t0
          order by t0.month, t0.code
          limit 20
        ) r) as "nodes",
        (
          select count(*)
          from visiting_holidays t1
        ) as "totalCount"
    ) r) as "visitingHolidays",
    (select r from (
      select array(select r from (
          select t2.code as "code"
          from visiting_holidays t2
          where t2.day is null
          order by t2.month, t2.code
          limit 20
        ) r) as "nodes"
    ) r) as "movable"
) r;
