-- second road
-- $1 = 'IN_PERSON'
-- $2 = datetime.date(2026, 7, 5)
-- $3 = None
-- $4 = 'CAL'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        t0.status as "status",
        array(select r from (
          select t1.number as ".number",
            t1.extension as ".extension",
            t1.purpose as "purpose"
          from phones t1
          where t1.institution_id = t0.id
          order by t1.number, t1.id
          limit 100
        ) r) as "phones",
        (select r from (
          select t2.public_street as "street",
            t2.public_city as "city",
            t2.public_zip as "zip",
            t2.public_latitude as "latitude",
            t2.public_longitude as "longitude",
            t2.public_transportation as "transportation"
          from locations t2
          where t2.id = t0.location_id
        ) r) as "location",
        (select r from (
          select t3.status as "status",
            t3.exceptions as "exceptions",
            t3.affected_yards as "affectedYards",
            t3.last_updated as "lastUpdated",
            visiting_status_freshness(t3.last_updated) as "freshnessState"
          from current_visiting_statuses t3
          where t3.institution_id = t0.id
            and t3.visit_type = $1::text
        ) r) as "visitingStatus",
        array(select r from (
          select t4.open as "isOpen",
            t4.opens_at as "opensAt",
            t4.closes_at as "closesAt",
            t4.is_exception as "isException",
            t4.reason as "reason"
          from hours_on(t0.id, $2::date, null::date, null::date, $1::text, null::text) t4
          order by t4.day, t4.opens_at, t4.yard
          limit 100
        ) r) as "visitingHours",
        (select r from (
          select array(select r from (
              select (select r from (
                  select t6.name as "name"
                  from providers t6
                  where t6.id = t5.operator_id
                ) r) as "operator",
                array(select r from (
                  select t7.number as "number"
                  from phones t7
                  where t7.visitor_center_id = t5.id
                  order by t7.number, t7.id
                  limit 100
                ) r) as "phones",
                t5.alert as "alert",
                array(select r from (
                  select t8.open as "isOpen",
                    t8.opens_at as "opensAt",
                    t8.closes_at as "closesAt",
                    t8.reason as "reason"
                  from hours_on(t5.id, $2::date, null::date, null::date) t8
                  order by t8.day, t8.opens_at, t8.yard
                  limit 100
                ) r) as "hours",
                hours_in_words(t5.id, $3::text) as "hoursInWords",
                (select r from (
                  select t9.opens_at as "opensAt"
                  from next_opening(t5.id) t9
                ) r) as "nextOpening",
                array(select r from (
                  select t10.code as "code",
                    coalesce(t10.label_es, t10.label_en) as "label"
                  from visitor_amenities t10
                  where exists (
                    select
                    from visitor_center_amenities t11
                    where t11.visitor_center_id = t5.id
                      and t10.code = t11.amenity_code
                  )
                  order by t10.label_en, t10.code
                  limit 100
                ) r) as "amenities",
                t5.van_notice_days as "vanNoticeDays",
                (select r from (
                  select freshness_state(t5.fresh_until, t5.aging_until) as "state"
                ) r) as "freshness"
              from visitor_centers t5
              where t5.institution_id = t0.id
                and t5.listed
              order by t5.name, t5.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters",
        (select r from (
          select array(select r from (
              select t12.name as "name"
              from programs t12
              where exists (
                select
                from ongoing_offerings t13
                where t13.institution_id = t0.id
                  and t12.id = t13.program_id
              )
                and t12.audience @> '{FAMILY}'::text[]
              order by t12.name, t12.id
              limit 5
            ) r) as "nodes"
        ) r) as "programs"
      from institutions t0
      where t0.code = $4::text
    ) r) as "institution"
) r;
