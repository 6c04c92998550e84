-- first road
-- $1 = '93610'
-- $2 = 'OPEN'
-- $3 = 'SU'
-- $4 = 120.0
-- $5 = 'IN_PERSON'
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t9.code,
          t9.name,
          t9.id,
          t9.".d",
          row_number() over() as ".n"
        from (
          select t12.code,
            t12.name,
            t12.id,
            t12.".d"
          from (
            select t8.code,
              t8.name,
              t8.id,
              t10.position <-> (
                select near_position($1::text, null::float8, null::float8)
              ) as ".d",
              t8.id as ".0"
            from locations t10
            join generate_series(1, num_nonnulls(t10.position)) t11 on true
            join institutions t8 on t10.id = t8.location_id
            where t8.status = $2::text
              and visiting_on(t8.id, null::date, $3::text, null::text, null::text)
              and t10.position <@ cube_enlarge((
              select near_position($1::text, null::float8, null::float8)
            ), chord(coalesce($4::float8, 50.0::float8)), 3)
              and (t10.position <-> (
              select near_position($1::text, null::float8, null::float8)
            )) <= chord(coalesce($4::float8, 50.0::float8))
            order by t10.position <-> (
              select near_position($1::text, null::float8, null::float8)
            )
            fetch first (11) rows with ties
          ) t12
          order by t12.".d", t12.".0"
          limit 11
        ) t9
      )
      select (
          select count(*)
          from institutions t1
          where t1.status = $2::text
            and visiting_on(t1.id, null::date, $3::text, null::text, null::text)
            and exists (
            select
            from locations t2
            where t2.id = t1.location_id
              and t2.position <@ cube_enlarge((
              select near_position($1::text, null::float8, null::float8)
            ), chord(coalesce($4::float8, 50.0::float8)), 3)
              and (t2.position <-> (
              select near_position($1::text, null::float8, null::float8)
            )) <= chord(coalesce($4::float8, 50.0::float8))
          )
        ) as "totalCount",
        array(select r from (
          select round(miles(t3.".d")::numeric, 2)::float8 as "distanceMiles",
            (select r from (
              select t3.code as "code",
                t3.name as "name",
                (select r from (
                  select t4.status as "status"
                  from current_visiting_statuses t4
                  where t4.institution_id = t3.id
                    and t4.visit_type = $5::text
                ) r) as "visitingStatus",
                (select r from (
                  select array(select r from (
                      select array(select r from (
                          select t6.code as "code"
                          from visitor_amenities t6
                          where exists (
                            select
                            from visitor_center_amenities t7
                            where t7.visitor_center_id = t5.id
                              and t6.code = t7.amenity_code
                          )
                          order by t6.label_en, t6.code
                          limit 100
                        ) r) as "amenities"
                      from visitor_centers t5
                      where t5.institution_id = t3.id
                        and t5.listed
                      order by t5.name, t5.id
                      limit 20
                    ) r) as "nodes"
                ) r) as "visitorCenters"
            ) r) as "node"
          from p0 t3
          where t3.".n" <= 10
          order by t3.".n"
        ) r) as "edges"
    ) r) as "institutions"
) r;
