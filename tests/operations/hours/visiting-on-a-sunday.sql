-- first road
-- $1 = 'STATE_PRISON'
-- $2 = 'OPEN'
-- $3 = 'SU'
-- $4 = 'IN_PERSON'
-- $5 = 'TU'
-- $6 = datetime.date(2026, 11, 26)
-- $7 = 'SA'
-- $8 = 'VIDEO'
-- $9 = 20
-- $10 = 'IN_PERSON'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from institutions t0
          where t0.institution_type = $1::text
            and t0.status = $2::text
            and visiting_on(t0.id, null::date, $3::text, null::text, null::text)
        ) as "totalCount",
        array(select r from (
          select t1.code as "code",
            visiting_on(t1.id, null::date, $3::text, null::text, null::text) as "visitingOn",
            (select r from (
              select t2.status as "status"
              from current_visiting_statuses t2
              where t2.institution_id = t1.id
                and t2.visit_type = $4::text
            ) r) as "visitingStatus",
            (select r from (
              select array(select r from (
                  select array(select r from (
                      select t4.code as "code"
                      from visitor_amenities t4
                      where exists (
                        select
                        from visitor_center_amenities t5
                        where t5.visitor_center_id = t3.id
                          and t4.code = t5.amenity_code
                      )
                      order by t4.label_en, t4.code
                      limit 100
                    ) r) as "amenities"
                  from visitor_centers t3
                  where t3.institution_id = t1.id
                    and t3.listed
                  order by t3.name, t3.id
                  limit 20
                ) r) as "nodes"
            ) r) as "visitorCenters"
          from institutions t1
          where t1.institution_type = $1::text
            and t1.status = $2::text
            and visiting_on(t1.id, null::date, $3::text, null::text, null::text)
          order by t1.name, t1.id
          limit 2
        ) r) as "nodes"
    ) r) as "sunday",
    (select r from (
      select (
          select count(*)
          from institutions t6
          where visiting_on(t6.id, null::date, $5::text, null::text, null::text)
        ) as "totalCount"
    ) r) as "tuesday",
    (select r from (
      select (
          select count(*)
          from institutions t7
          where visiting_on(t7.id, $6::date, null::text, null::text, null::text)
        ) as "totalCount"
    ) r) as "thanksgiving",
    (select r from (
      select array(select r from (
          select (select r from (
              select t9.c0 as "institutionType"
            ) r) as "key",
            t9.c1 as "count"
          from (
            select t8.institution_type as "c0",
              count(*) as "c1"
            from institutions t8
            where visiting_on(t8.id, null::date, $7::text, $8::text, null::text)
            group by 1
          ) t9
          order by t9.c1 desc, t9.c0
          limit $9::int8
        ) r) as "groupBy"
    ) r) as "byVideo",
    (select r from (
      select array(select r from (
          select (select r from (
              select t11.c0 as "visitingState"
            ) r) as "key",
            t11.c1 as "count"
          from (
            select hours_state(t10.id, null::timestamptz, $10::text, null::text) as "c0",
              count(*) as "c1"
            from institutions t10
            group by 1
          ) t11
          order by t11.c1 desc, t11.c0
          limit $9::int8
        ) r) as "groupBy"
    ) r) as "now"
) r;
