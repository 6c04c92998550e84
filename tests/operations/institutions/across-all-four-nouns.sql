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
        select t30.code,
          t30.source_id,
          t30.id,
          t30.county_fips,
          row_number() over() as ".n"
        from (
          select t29.code,
            t29.source_id,
            t29.id,
            t29.county_fips
          from institutions t29
          where t29.county_fips = $1::text
            and exists (
            select
            from visitor_centers t31
            where t31.institution_id = t29.id
              and t31.status = $2::text
          )
          order by (
            select count(*)
            from programs t32
            where exists (
              select
              from ongoing_offerings t33
              where t33.institution_id = t29.id
                and t32.id = t33.program_id
            )
          ) desc, t29.id desc
          limit $3::int8 + 1
        ) t30
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
                  select source_licence(t7.source_id) as "licence"
                ) r) as "provenance",
                (select r from (
                  select array(select r from (
                      select t8.name as "name",
                        (select r from (
                          select source_licence(t8.source_id) as "licence"
                        ) r) as "provenance",
                        (select r from (
                          select t9.name as "name",
                            (select r from (
                              select (
                                  select count(*)
                                  from programs t10
                                  where t10.operator_id = t9.id
                                ) as "totalCount"
                            ) r) as "programs"
                          from providers t9
                          where t9.id = t8.operator_id
                        ) r) as "operator",
                        array(select r from (
                          select coalesce(t11.label_es, t11.label_en) as "label"
                          from visitor_amenities t11
                          where exists (
                            select
                            from visitor_center_amenities t12
                            where t12.visitor_center_id = t8.id
                              and t11.code = t12.amenity_code
                          )
                          order by t11.label_en, t11.code
                          limit 100
                        ) r) as "amenities"
                      from visitor_centers t8
                      where t8.institution_id = t7.id
                        and t8.listed
                      order by t8.name, t8.id
                      limit 20
                    ) r) as "nodes"
                ) r) as "visitorCenters",
                (select r from (
                  select (
                      select count(*)
                      from programs t13
                      where exists (
                        select
                        from ongoing_offerings t15
                        where t15.institution_id = t7.id
                          and t13.id = t15.program_id
                      )
                        and exists (
                        select
                        from program_categories t14
                        where t14.program_id = t13.id
                          and t14.category_code = $4::text
                      )
                    ) as "totalCount",
                    array(select r from (
                      select t16.slug as "slug",
                        (select r from (
                          select source_licence(t16.source_id) as "licence"
                        ) r) as "provenance",
                        (select r from (
                          select (
                              select count(*)
                              from institutions t17
                              where exists (
                                select
                                from ongoing_offerings t18
                                where t18.program_id = t16.id
                                  and t17.id = t18.institution_id
                              )
                                and t17.county_fips = $1::text
                            ) as "totalCount"
                        ) r) as "institutions"
                      from programs t16
                      where exists (
                        select
                        from ongoing_offerings t20
                        where t20.institution_id = t7.id
                          and t16.id = t20.program_id
                      )
                        and exists (
                        select
                        from program_categories t19
                        where t19.program_id = t16.id
                          and t19.category_code = $4::text
                      )
                      order by t16.name, t16.id
                      limit $3::int8
                    ) r) as "nodes"
                ) r) as "programs",
                (select r from (
                  select (select r from (
                      select (
                          select count(*)
                          from providers t22
                          where t22.county_fips = t21.fips
                            and t22.listed
                            and exists (
                            select
                            from services t23
                            where t23.provider_id = t22.id
                              and t23.listed
                              and exists (
                              select
                              from service_categories t24
                              where t24.service_id = t23.id
                                and t24.category_code = $5::text
                            )
                          )
                        ) as "totalCount",
                        array(select r from (
                          select t25.name as "name",
                            (select r from (
                              select source_licence(t25.source_id) as "licence"
                            ) r) as "provenance",
                            array(select r from (
                              select t26.number as ".number",
                                t26.extension as ".extension"
                              from phones t26
                              where t26.provider_id = t25.id
                              order by t26.number, t26.id
                              limit 100
                            ) r) as "phones"
                          from providers t25
                          where t25.county_fips = t21.fips
                            and t25.listed
                            and exists (
                            select
                            from services t27
                            where t27.provider_id = t25.id
                              and t27.listed
                              and exists (
                              select
                              from service_categories t28
                              where t28.service_id = t27.id
                                and t28.category_code = $5::text
                            )
                          )
                          order by t25.name, t25.id
                          limit 1
                        ) r) as "nodes"
                    ) r) as "providers"
                  from counties t21
                  where t21.fips = t7.county_fips
                ) r) as "county"
            ) r) as "node"
          from p0 t7
          where t7.".n" <= $3::int8
          order by t7.".n"
        ) r) as "edges"
    ) r) as "institutions"
) r;
