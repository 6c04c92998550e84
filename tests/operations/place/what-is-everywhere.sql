-- first road
-- $1 = '95814'
-- $2 = ['LEGAL', 'COMMUNITY_SUPPORT']
-- $3 = 5.0
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t9.name,
          t9.id,
          t9.".d",
          row_number() over() as ".n"
        from (
          select t20.name,
            t20.id,
            t20.".d"
          from (
            (
              select t8.name,
                t8.id,
                t11.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ) as ".d",
                t8.id as ".0"
              from locations t11
              join generate_series(1, num_nonnulls(t11.position)) t12 on true
              join services_at_locations t10 on t11.id = t10.location_id
              join services t8 on t10.service_id = t8.id
              where t8.listed
                and exists (
                select
                from service_categories t18
                where t18.service_id = t8.id
                  and t18.category_code = any($2::text[])
              )
                and t11.position <@ cube_enlarge((
                select near_position($1::text, null::float8, null::float8)
              ), chord(coalesce($3::float8, 50.0::float8)), 3)
                and (t11.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )) <= chord(coalesce($3::float8, 50.0::float8))
                and exists (
                select
                from services_at_locations t13
                join locations t14 on t14.id = t13.location_id
                where t13.service_id = t8.id
                  and (t14.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ), t14.id) < (t11.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                ), t11.id)
              ) is not true
              order by t11.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )
              fetch first (21) rows with ties
            )
            union all
            (
              select t8.name,
                t8.id,
                null::float8 as ".d",
                t8.id as ".0"
              from services t8
              where t8.listed
                and exists (
                select
                from service_categories t19
                where t19.service_id = t8.id
                  and t19.category_code = any($2::text[])
              )
                and exists (
                select
                from statewide_services t15
                where t15.service_id = t8.id
              )
                and exists (
                select
                from services_at_locations t16
                join locations t17 on t17.id = t16.location_id
                where t16.service_id = t8.id
                  and t17.position <@ cube_enlarge((
                  select near_position($1::text, null::float8, null::float8)
                ), chord(coalesce($3::float8, 50.0::float8)), 3)
                  and (t17.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                )) <= chord(coalesce($3::float8, 50.0::float8))
              ) is not true
              order by t8.id
              limit 21
            )
          ) t20
          order by t20.".d", t20.".0"
          limit 21
        ) t9
      )
      select (
          select count(*)
          from services t1
          where t1.listed
            and exists (
            select
            from service_categories t5
            where t5.service_id = t1.id
              and t5.category_code = any($2::text[])
          )
            and t1.id in (
            (
              select t2.service_id
              from services_at_locations t2
              join locations t3 on t3.id = t2.location_id
              where t3.position <@ cube_enlarge((
                select near_position($1::text, null::float8, null::float8)
              ), chord(coalesce($3::float8, 50.0::float8)), 3)
                and (t3.position <-> (
                select near_position($1::text, null::float8, null::float8)
              )) <= chord(coalesce($3::float8, 50.0::float8))
            )
            union all
            (
              select t4.service_id
              from statewide_services t4
            )
          )
        ) as "totalCount",
        array(select r from (
          select round(miles(t6.".d")::numeric, 2)::float8 as "distanceMiles",
            (select r from (
              select t6.name as "name",
                array(select r from (
                  select t7.statewide as "statewide",
                    t7.description as "description"
                  from service_areas t7
                  where t7.service_id = t6.id
                  order by t7.county_fips, t7.id
                  limit 100
                ) r) as "serviceAreas"
            ) r) as "node"
          from p0 t6
          where t6.".n" <= 20
          order by t6.".n"
        ) r) as "edges"
    ) r) as "services"
) r;
