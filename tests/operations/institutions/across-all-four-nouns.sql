-- second road
-- $1 = '06067'
-- $2 = 'ACTIVE'
-- $3 = 2
-- $4 = 'FAMILY'
-- $5 = 'SUBSTANCE_USE'
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t34.code,
          t34.source_id,
          t34.id,
          t34.county_fips,
          row_number() over() as ".n"
        from (
          select t33.code,
            t33.source_id,
            t33.id,
            t33.county_fips
          from institutions t33
          where t33.county_fips = $1::text
            and exists (
            select
            from visitor_centers t35
            where t35.institution_id = t33.id
              and t35.status = $2::text
          )
          order by (
            select count(*)
            from programs t36
            where exists (
              select
              from program_offerings t37
              where t37.institution_id = t33.id
                and t36.id = t37.program_id
            )
          ) desc, t33.id desc
          limit $3::int8 + 1
        ) t34
      )
      select (
          select count(*)
          from institutions t1
          where t1.county_fips = $1::text
            and exists (
            select
            from visitor_centers t2
            where t2.institution_id = t1.id
              and t2.status = $2::text
          )
        ) as "totalCount",
        (select r from (
          select (select r from (
              select t5.c0 as "sum"
            ) r) as "designCapacity"
          from (
            select sum(t3.design_capacity)::float8 as "c0"
            from institutions t3
            where t3.county_fips = $1::text
              and exists (
              select
              from visitor_centers t4
              where t4.institution_id = t3.id
                and t4.status = $2::text
            )
          ) t5
        ) r) as "aggregate",
        (select r from (
          select exists (
              select
              from p0 t6
              where t6.".n" > $3::int8
            ) as "hasNextPage"
        ) r) as "pageInfo",
        array(select r from (
          select (select r from (
              select t7.code as "code",
                (select r from (
                  select t8.licence as "licence"
                  from sources t8
                  where t8.id = t7.source_id
                ) r) as "source",
                (select r from (
                  select array(select r from (
                      select t9.name as "name",
                        (select r from (
                          select t10.licence as "licence"
                          from sources t10
                          where t10.id = t9.source_id
                        ) r) as "source",
                        (select r from (
                          select t11.name as "name",
                            (select r from (
                              select (
                                  select count(*)
                                  from programs t12
                                  where t12.operator_id = t11.id
                                ) as "totalCount"
                            ) r) as "programs"
                          from providers t11
                          where t11.id = t9.operator_id
                        ) r) as "operator",
                        array(select r from (
                          select coalesce(t13.label_es, t13.label_en) as "label"
                          from visitor_amenities t13
                          where exists (
                            select
                            from visitor_center_amenities t14
                            where t14.visitor_center_id = t9.id
                              and t13.code = t14.amenity_code
                          )
                          order by t13.label_en, t13.code
                          limit 100
                        ) r) as "amenities"
                      from visitor_centers t9
                      where t9.institution_id = t7.id
                      order by t9.name, t9.id
                      limit 20
                    ) r) as "nodes"
                ) r) as "visitorCenters",
                (select r from (
                  select (
                      select count(*)
                      from programs t15
                      where exists (
                        select
                        from program_offerings t17
                        where t17.institution_id = t7.id
                          and t15.id = t17.program_id
                      )
                        and exists (
                        select
                        from program_categories t16
                        where t16.program_id = t15.id
                          and t16.category_code = $4::text
                      )
                    ) as "totalCount",
                    array(select r from (
                      select t18.slug as "slug",
                        (select r from (
                          select t19.licence as "licence"
                          from sources t19
                          where t19.id = t18.source_id
                        ) r) as "source",
                        (select r from (
                          select (
                              select count(*)
                              from institutions t20
                              where exists (
                                select
                                from program_offerings t21
                                where t21.program_id = t18.id
                                  and t20.id = t21.institution_id
                              )
                                and t20.county_fips = $1::text
                            ) as "totalCount"
                        ) r) as "institutions"
                      from programs t18
                      where exists (
                        select
                        from program_offerings t23
                        where t23.institution_id = t7.id
                          and t18.id = t23.program_id
                      )
                        and exists (
                        select
                        from program_categories t22
                        where t22.program_id = t18.id
                          and t22.category_code = $4::text
                      )
                      order by t18.name, t18.id
                      limit $3::int8
                    ) r) as "nodes"
                ) r) as "programs",
                (select r from (
                  select (select r from (
                      select (
                          select count(*)
                          from providers t25
                          where t25.county_fips = t24.fips
                            and exists (
                            select
                            from services t26
                            where t26.provider_id = t25.id
                              and exists (
                              select
                              from service_categories t27
                              where t27.service_id = t26.id
                                and t27.category_code = $5::text
                            )
                          )
                        ) as "totalCount",
                        array(select r from (
                          select t28.name as "name",
                            (select r from (
                              select t29.licence as "licence"
                              from sources t29
                              where t29.id = t28.source_id
                            ) r) as "source",
                            array(select r from (
                              select t30.number as ".number",
                                t30.extension as ".extension"
                              from phones t30
                              where t30.provider_id = t28.id
                              order by t30.number, t30.id
                              limit 100
                            ) r) as "phones"
                          from providers t28
                          where t28.county_fips = t24.fips
                            and exists (
                            select
                            from services t31
                            where t31.provider_id = t28.id
                              and exists (
                              select
                              from service_categories t32
                              where t32.service_id = t31.id
                                and t32.category_code = $5::text
                            )
                          )
                          order by t28.name, t28.id
                          limit 1
                        ) r) as "nodes"
                    ) r) as "providers"
                  from counties t24
                  where t24.fips = t7.county_fips
                ) r) as "county"
            ) r) as "node"
          from p0 t7
          where t7.".n" <= $3::int8
          order by t7.".n"
        ) r) as "edges"
    ) r) as "institutions"
) r;
