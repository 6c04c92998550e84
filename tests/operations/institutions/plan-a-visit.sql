-- second road
-- $1 = 'IN_PERSON'
-- $2 = 'CAL'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        t0.status as "status",
        array(select r from (
          select t1.purpose as "purpose",
            t1.number as "number",
            t1.number as ".number",
            t1.extension as ".extension"
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
            t3.last_updated as "lastUpdated"
          from current_visiting_statuses t3
          where t3.institution_id = t0.id
            and t3.visit_type = $1::text
        ) r) as "visitingStatus",
        (select r from (
          select array(select r from (
              select (select r from (
                  select t5.name as "name"
                  from providers t5
                  where t5.id = t4.operator_id
                ) r) as "operator",
                array(select r from (
                  select t6.number as "number"
                  from phones t6
                  where t6.visitor_center_id = t4.id
                  order by t6.number, t6.id
                  limit 100
                ) r) as "phones",
                t4.alert as "alert",
                array(select r from (
                  select t7.code as "code",
                    coalesce(t7.label_es, t7.label_en) as "label"
                  from visitor_amenities t7
                  where exists (
                    select
                    from visitor_center_amenities t8
                    where t8.visitor_center_id = t4.id
                      and t7.code = t8.amenity_code
                  )
                  order by t7.label_en, t7.code
                  limit 100
                ) r) as "amenities",
                t4.van_notice_days as "vanNoticeDays",
                t4.child_care_max_age as "childCareMaxAge",
                array(select r from (
                  select t9.opens_at as "opensAt",
                    t9.closes_at as "closesAt",
                    t9.byday as "byday"
                  from schedules t9
                  where t9.visitor_center_id = t4.id
                  order by t9.kind, t9.opens_at, t9.id
                  limit 100
                ) r) as "schedules",
                t4.hours_text as "hoursText"
              from visitor_centers t4
              where t4.institution_id = t0.id
                and t4.listed
              order by t4.name, t4.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters",
        (select r from (
          select array(select r from (
              select t10.name as "name"
              from programs t10
              where exists (
                select
                from ongoing_offerings t11
                where t11.institution_id = t0.id
                  and t10.id = t11.program_id
              )
                and t10.audience @> '{FAMILY}'::text[]
              order by t10.name, t10.id
              limit 5
            ) r) as "nodes"
        ) r) as "programs"
      from institutions t0
      where t0.code = $2::text
    ) r) as "institution"
) r;
