-- first road
-- $1 = 'IN_PERSON'
-- $2 = datetime.date(2026, 7, 4)
-- $3 = 'ES'
-- $4 = 'CAL'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        (select r from (
          select t1.status as "status",
            t1.exceptions as "exceptions",
            t1.affected_yards as "affectedYards",
            t1.last_updated as "lastUpdated"
          from current_visiting_statuses t1
          where t1.institution_id = t0.id
            and t1.visit_type = $1::text
        ) r) as "visitingStatus",
        array(select r from (
          select t2.day as "date",
            t2.open as "isOpen",
            t2.opens_at as "opensAt",
            t2.closes_at as "closesAt",
            t2.is_exception as "isException",
            coalesce(t2.reason_es, t2.reason) as "reason"
          from hours_on(t0.id, $2::date, null::date, null::date, $1::text, null::text) t2
          order by t2.day, t2.opens_at, t2.yard
          limit 100
        ) r) as "visitingHours",
        hours_in_words(t0.id, $3::text, $1::text, null::text) as "visitingInWords",
        (select r from (
          select array(select r from (
              select (select r from (
                  select t4.name as "name"
                  from providers t4
                  where t4.id = t3.operator_id
                ) r) as "operator",
                array(select r from (
                  select t5.number as "number"
                  from phones t5
                  where t5.visitor_center_id = t3.id
                  order by t5.number, t5.id
                  limit 100
                ) r) as "phones",
                t3.alert as "alert",
                array(select r from (
                  select t6.opens as "opens",
                    t6.closes as "closes",
                    t6.opens_at as "opensAt",
                    t6.closes_at as "closesAt",
                    coalesce(t6.reason_es, t6.reason) as "reason"
                  from hours_on(t3.id, $2::date, null::date, null::date) t6
                  order by t6.day, t6.opens_at, t6.yard
                  limit 100
                ) r) as "hours",
                hours_in_words(t3.id, $3::text) as "hoursInWords",
                t3.hours_text as "hoursText",
                open_now(t3.id) as "openNow",
                (select r from (
                  select t7.day as "date",
                    t7.opens_at as "opensAt",
                    t7.reason as "reason"
                  from next_opening(t3.id) t7
                ) r) as "nextOpening",
                t3.van_notice_days as "vanNoticeDays"
              from visitor_centers t3
              where t3.institution_id = t0.id
                and t3.listed
              order by t3.name, t3.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters"
      from institutions t0
      where t0.code = $4::text
    ) r) as "institution"
) r;
