-- first road
-- $1 = 34.4085
-- $2 = -119.6914
-- $3 = 'HOUSING'
-- $4 = 3.0
-- $5 = 20
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t17.name,
          t17.provider_id,
          t17.id,
          t17.".d",
          row_number() over() as ".n"
        from (
          select t28.name,
            t28.provider_id,
            t28.id,
            t28.".d"
          from (
            (
              select t16.name,
                t16.provider_id,
                t16.id,
                t19.position <-> (
                  select near_position(null::text, $1::float8, $2::float8)
                ) as ".d",
                t16.id as ".0"
              from locations t19
              join generate_series(1, num_nonnulls(t19.position)) t20 on true
              join services_at_locations t18 on t19.id = t18.location_id
              join services t16 on t18.service_id = t16.id
              where t16.listed
                and exists (
                select
                from service_categories t26
                where t26.service_id = t16.id
                  and t26.category_code = $3::text
              )
                and t19.position <@ cube_enlarge((
                select near_position(null::text, $1::float8, $2::float8)
              ), chord(coalesce($4::float8, 50.0::float8)), 3)
                and (t19.position <-> (
                select near_position(null::text, $1::float8, $2::float8)
              )) <= chord(coalesce($4::float8, 50.0::float8))
                and exists (
                select
                from services_at_locations t21
                join locations t22 on t22.id = t21.location_id
                where t21.service_id = t16.id
                  and (t22.position <-> (
                  select near_position(null::text, $1::float8, $2::float8)
                ), t22.id) < (t19.position <-> (
                  select near_position(null::text, $1::float8, $2::float8)
                ), t19.id)
              ) is not true
              order by t19.position <-> (
                select near_position(null::text, $1::float8, $2::float8)
              )
              fetch first (4) rows with ties
            )
            union all
            (
              select t16.name,
                t16.provider_id,
                t16.id,
                null::float8 as ".d",
                t16.id as ".0"
              from services t16
              where t16.listed
                and exists (
                select
                from service_categories t27
                where t27.service_id = t16.id
                  and t27.category_code = $3::text
              )
                and exists (
                select
                from statewide_services t23
                where t23.service_id = t16.id
              )
                and exists (
                select
                from services_at_locations t24
                join locations t25 on t25.id = t24.location_id
                where t24.service_id = t16.id
                  and t25.position <@ cube_enlarge((
                  select near_position(null::text, $1::float8, $2::float8)
                ), chord(coalesce($4::float8, 50.0::float8)), 3)
                  and (t25.position <-> (
                  select near_position(null::text, $1::float8, $2::float8)
                )) <= chord(coalesce($4::float8, 50.0::float8))
              ) is not true
              order by t16.id
              limit 4
            )
          ) t28
          order by t28.".d", t28.".0"
          limit 4
        ) t17
      )
      select (
          select count(*)
          from services t1
          where t1.listed
            and exists (
            select
            from service_categories t5
            where t5.service_id = t1.id
              and t5.category_code = $3::text
          )
            and t1.id in (
            (
              select t2.service_id
              from services_at_locations t2
              join locations t3 on t3.id = t2.location_id
              where t3.position <@ cube_enlarge((
                select near_position(null::text, $1::float8, $2::float8)
              ), chord(coalesce($4::float8, 50.0::float8)), 3)
                and (t3.position <-> (
                select near_position(null::text, $1::float8, $2::float8)
              )) <= chord(coalesce($4::float8, 50.0::float8))
            )
            union all
            (
              select t4.service_id
              from statewide_services t4
            )
          )
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select t11.c0 as "countyFips"
            ) r) as "key",
            t11.c1 as "count"
          from (
            select t6.county_fips as "c0",
              count(*) as "c1"
            from services t6
            where t6.listed
              and exists (
              select
              from service_categories t10
              where t10.service_id = t6.id
                and t10.category_code = $3::text
            )
              and t6.id in (
              (
                select t7.service_id
                from services_at_locations t7
                join locations t8 on t8.id = t7.location_id
                where t8.position <@ cube_enlarge((
                  select near_position(null::text, $1::float8, $2::float8)
                ), chord(coalesce($4::float8, 50.0::float8)), 3)
                  and (t8.position <-> (
                  select near_position(null::text, $1::float8, $2::float8)
                )) <= chord(coalesce($4::float8, 50.0::float8))
              )
              union all
              (
                select t9.service_id
                from statewide_services t9
              )
            )
            group by 1
          ) t11
          order by t11.c1 desc, t11.c0
          limit $5::int8
        ) r) as "groupBy",
        array(select r from (
          select round(miles(t12.".d")::numeric, 2)::float8 as "distanceMiles",
            (select r from (
              select t12.name as "name",
                (select r from (
                  select t13.name as "name"
                  from providers t13
                  where t13.id = t12.provider_id
                ) r) as "provider",
                (select r from (
                  select array(select r from (
                      select (select r from (
                          select t15.public_street as "street",
                            t15.public_city as "city"
                          from locations t15
                          where t15.id = t14.location_id
                        ) r) as "location"
                      from services_at_locations t14
                      where t14.service_id = t12.id
                        and t14.listed
                      order by t14.id
                      limit 20
                    ) r) as "nodes"
                ) r) as "atLocations"
            ) r) as "node"
          from p0 t12
          where t12.".n" <= 3
          order by t12.".n"
        ) r) as "edges"
    ) r) as "services"
) r;
