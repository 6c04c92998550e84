-- first road
-- $1 = '93101'
-- $2 = 2.0
-- $3 = '93436'
-- $4 = 60.0
-- $5 = '06083'
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          with p1 as materialized (
            select t8.name,
              t8.".d",
              row_number() over() as ".n"
            from (
              select t7.name,
                (
                  select min(t9.position <-> (
                      select near_position($1::text, null::float8, null::float8)
                    ))
                  from locations t9
                  where t9.id = t7.location_id
                    and t9.position <@ cube_enlarge((
                    select near_position($1::text, null::float8, null::float8)
                  ), chord(coalesce($2::float8, 50.0::float8)), 3)
                    and (t9.position <-> (
                    select near_position($1::text, null::float8, null::float8)
                  )) <= chord(coalesce($2::float8, 50.0::float8))
                ) as ".d"
              from providers t7
              where t7.county_fips = t0.fips
                and t7.listed
                and t7.id in (
                (
                  select t10.id
                  from providers t10
                  join locations t11 on t11.id = t10.location_id
                  where t11.position <@ cube_enlarge((
                    select near_position($1::text, null::float8, null::float8)
                  ), chord(coalesce($2::float8, 50.0::float8)), 3)
                    and (t11.position <-> (
                    select near_position($1::text, null::float8, null::float8)
                  )) <= chord(coalesce($2::float8, 50.0::float8))
                )
                union all
                (
                  select t12.provider_id
                  from statewide_services t12
                )
              )
              order by t7.name, t7.id
              limit 4
            ) t8
          )
          select (
              select count(*)
              from providers t2
              where t2.county_fips = t0.fips
                and t2.listed
                and t2.id in (
                (
                  select t3.id
                  from providers t3
                  join locations t4 on t4.id = t3.location_id
                  where t4.position <@ cube_enlarge((
                    select near_position($1::text, null::float8, null::float8)
                  ), chord(coalesce($2::float8, 50.0::float8)), 3)
                    and (t4.position <-> (
                    select near_position($1::text, null::float8, null::float8)
                  )) <= chord(coalesce($2::float8, 50.0::float8))
                )
                union all
                (
                  select t5.provider_id
                  from statewide_services t5
                )
              )
            ) as "totalCount",
            array(select r from (
              select round(miles(t6.".d")::numeric, 2)::float8 as "distanceMiles",
                (select r from (
                  select t6.name as "name"
                ) r) as "node"
              from p1 t6
              where t6.".n" <= 3
              order by t6.".n"
            ) r) as "edges"
        ) r) as "providers",
        (select r from (
          with p13 as materialized (
            select t24.public_street,
              t24.id,
              t24.".d",
              row_number() over() as ".n"
            from (
              select t26.public_street,
                t26.id,
                t26.".d"
              from (
                select t23.public_street,
                  t23.id,
                  t23.position <-> (
                    select near_position($1::text, null::float8, null::float8)
                  ) as ".d",
                  t23.id as ".0"
                from locations t23
                join generate_series(1, num_nonnulls(t23.position)) t25 on true
                where t23.public_county_fips = t0.fips
                  and t23.position <@ cube_enlarge((
                  select near_position($1::text, null::float8, null::float8)
                ), chord(coalesce($2::float8, 50.0::float8)), 3)
                  and (t23.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                )) <= chord(coalesce($2::float8, 50.0::float8))
                order by t23.position <-> (
                  select near_position($1::text, null::float8, null::float8)
                )
                fetch first (3) rows with ties
              ) t26
              order by t26.".d", t26.".0"
              limit 3
            ) t24
          )
          select array(select r from (
              select round(miles(t14.".d")::numeric, 2)::float8 as "distanceMiles",
                (select r from (
                  select t14.public_street as "street",
                    (select r from (
                      with p15 as materialized (
                        select t19.service_id,
                          t19.".d",
                          row_number() over() as ".n"
                        from (
                          select t22.service_id,
                            t22.".d"
                          from (
                            select t18.service_id,
                              t20.position <-> (
                                select near_position($3::text, null::float8, null::float8)
                              ) as ".d",
                              t18.id as ".0"
                            from locations t20
                            join generate_series(1, num_nonnulls(t20.position)) t21 on true
                            join services_at_locations t18 on t20.id = t18.location_id
                            where t18.location_id = t14.id
                              and t18.listed
                              and t20.position <@ cube_enlarge((
                              select near_position($3::text, null::float8, null::float8)
                            ), chord(coalesce($4::float8, 50.0::float8)), 3)
                              and (t20.position <-> (
                              select near_position($3::text, null::float8, null::float8)
                            )) <= chord(coalesce($4::float8, 50.0::float8))
                            order by t20.position <-> (
                              select near_position($3::text, null::float8, null::float8)
                            )
                            fetch first (21) rows with ties
                          ) t22
                          order by t22.".d", t22.".0"
                          limit 21
                        ) t19
                      )
                      select array(select r from (
                          select round(miles(t16.".d")::numeric, 2)::float8 as "distanceMiles",
                            (select r from (
                              select (select r from (
                                  select t17.name as "name"
                                  from services t17
                                  where t17.id = t16.service_id
                                ) r) as "service"
                            ) r) as "node"
                          from p15 t16
                          where t16.".n" <= 20
                          order by t16.".n"
                        ) r) as "edges"
                    ) r) as "servicesAtLocation"
                ) r) as "node"
              from p13 t14
              where t14.".n" <= 2
              order by t14.".n"
            ) r) as "edges"
        ) r) as "locations"
      from counties t0
      where t0.fips = $5::text
    ) r) as "county"
) r;
