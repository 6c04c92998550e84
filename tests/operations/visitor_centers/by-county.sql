-- first road
-- $1 = 3
-- $2 = 20
-- $3 = 'Kern'
-- $4 = True
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from visitor_centers t0
          where t0.listed
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select (select r from (
                  select t4.name as "name"
                  from counties t4
                  where t4.fips = t2.c0
                ) r) as "county"
            ) r) as "key",
            t2.c1 as "count",
            (select r from (
              select (select r from (
                  select t2.c2 as "sum"
                ) r) as "populationUsed"
            ) r) as "aggregate"
          from (
            select (
                select t3.county_fips
                from institutions t3
                where t3.id = t1.institution_id
              ) as "c0",
              count(*) as "c1",
              sum(population_used(t1.institution_id, null::date))::float8 as "c2"
            from visitor_centers t1
            where t1.listed
            group by 1
          ) t2
          order by t2.c1 desc, t2.c0
          limit $1::int8
        ) r) as "byCounty",
        array(select r from (
          select (select r from (
              select (select r from (
                  select coalesce(t9.label_es, t9.label_en) as "label"
                  from visitor_amenities t9
                  where t9.code = t6.c0
                ) r) as "amenity"
            ) r) as "key",
            t6.c1 as "count"
          from (
            select t8.value as "c0",
              count(*) as "c1"
            from visitor_centers t5
            left join lateral (
              select t7.amenity_code as "value"
              from visitor_center_amenities t7
              where t7.visitor_center_id = t5.id
            ) t8 on true
            where t5.listed
            group by 1
          ) t6
          order by t6.c1 desc, t6.c0
          limit $2::int8
        ) r) as "byAmenity",
        array(select r from (
          select (select r from (
              select t11.c0 as "statutory",
                t11.c1 as "status",
                t11.c2 as "freshnessState"
            ) r) as "key",
            t11.c3 as "count"
          from (
            select visitor_center_required(t10.institution_id, null::date) as "c0",
              t10.status as "c1",
              freshness_state(t10.fresh_until, t10.aging_until) as "c2",
              count(*) as "c3"
            from visitor_centers t10
            where t10.listed
            group by 1, 2, 3
          ) t11
          order by t11.c3 desc, t11.c0, t11.c1, t11.c2
          limit $2::int8
        ) r) as "groupBy"
    ) r) as "visitorCenters",
    (select r from (
      select array(select r from (
          select t12.slug as "slug",
            (select r from (
              select t13.fips as "fips"
              from counties t13
              where t13.fips = (
                select t14.county_fips
                from institutions t14
                where t14.id = t12.institution_id
              )
            ) r) as "county",
            population_used(t12.institution_id, null::date) as "populationUsed"
          from visitor_centers t12
          where t12.listed
            and exists (
            select
            from counties t16
            where t16.fips = (
              select t17.county_fips
              from institutions t17
              where t17.id = t12.institution_id
            )
              and t16.name = $3::text
          )
            and visitor_center_required(t12.institution_id, null::date) = $4::bool
          order by population_used(t12.institution_id, null::date) desc, t12.id desc
          limit 20
        ) r) as "nodes"
    ) r) as "inKern"
) r;
