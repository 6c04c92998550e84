-- first road
-- $1 = True
-- $2 = 3
-- $3 = datetime.date(2026, 4, 30)
-- $4 = False
-- $5 = 'STATE_PRISON'
-- $6 = 20
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from institutions t0
          where visitor_center_required(t0.id, null::date) = $1::bool
        ) as "totalCount",
        array(select r from (
          select t1.code as "code",
            t1.name as "name",
            (select r from (
              select t2.name as "name"
              from counties t2
              where t2.fips = t1.county_fips
            ) r) as "county",
            (select r from (
              select t3.in_custody as "inCustody",
                t3.month as "month"
              from current_population_counts t3
              where t3.institution_id = t1.id
            ) r) as "population",
            (select r from (
              select array(select r from (
                  select t4.slug as "slug",
                    t4.status as "status",
                    visitor_center_required(t4.institution_id, null::date) as "statutory",
                    array(select r from (
                      select t5.code as "code"
                      from visitor_amenities t5
                      where exists (
                        select
                        from lacked_visitor_services t6
                        where t6.visitor_center_id = t4.id
                          and t5.code = t6.amenity_code
                      )
                      order by t5.label_en, t5.code
                      limit 100
                    ) r) as "missingServices"
                  from visitor_centers t4
                  where t4.institution_id = t1.id
                    and t4.listed
                  order by t4.name, t4.id
                  limit 20
                ) r) as "nodes"
            ) r) as "visitorCenters",
            array(select r from (
              select t7.kind as "kind",
                (select r from (
                  select t8.code as "code"
                  from visitor_amenities t8
                  where t8.code = t7.amenity_code
                ) r) as "amenity"
              from visitor_service_gaps t7
              where t7.institution_id = t1.id
              order by t7.key
              limit 100
            ) r) as "visitorServiceGaps"
          from institutions t1
          where visitor_center_required(t1.id, null::date) = $1::bool
          order by (
            select t9.in_custody
            from current_population_counts t9
            where t9.institution_id = t1.id
          ) desc, t1.id desc
          limit $2::int8
        ) r) as "nodes"
    ) r) as "required",
    (select r from (
      select array(select r from (
          select t10.code as "code",
            (select r from (
              select array(select r from (
                  select visitor_center_required(t11.institution_id, null::date) as "statutory",
                    population_used(t11.institution_id, null::date) as "populationUsed",
                    population_as_of(t11.institution_id, null::date) as "populationAsOf",
                    visitor_center_required(t11.institution_id, $3::date) as "inApril",
                    population_used(t11.institution_id, $3::date) as "countInApril"
                  from visitor_centers t11
                  where t11.institution_id = t10.id
                    and t11.listed
                  order by t11.name, t11.id
                  limit 20
                ) r) as "nodes"
            ) r) as "visitorCenters"
          from institutions t10
          where exists (
            select
            from visitor_centers t12
            where t12.institution_id = t10.id
              and t12.listed
          )
            and visitor_center_required(t10.id, null::date) = $4::bool
          order by t10.name, t10.id
          limit 20
        ) r) as "nodes"
    ) r) as "notAnyMore",
    (select r from (
      select array(select r from (
          select (select r from (
              select t14.c0 as "visitorCenterRequired",
                t14.c1 as "status"
            ) r) as "key",
            t14.c2 as "count"
          from (
            select visitor_center_required(t13.id, null::date) as "c0",
              t13.status as "c1",
              count(*) as "c2"
            from institutions t13
            where t13.institution_type = $5::text
            group by 1, 2
          ) t14
          order by t14.c2 desc, t14.c0, t14.c1
          limit $6::int8
        ) r) as "groupBy"
    ) r) as "prisons",
    (select r from (
      select (
          select count(*)
          from institutions t15
          where exists (
            select
            from visitor_service_gaps t16
            where t16.institution_id = t15.id
          )
        ) as "totalCount"
    ) r) as "withGaps",
    (select r from (
      select (
          select count(*)
          from visitor_service_gaps t17
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select t19.c0 as "kind",
                (select r from (
                  select t20.label_en as "label"
                  from visitor_amenities t20
                  where t20.code = t19.c1
                ) r) as "amenity"
            ) r) as "key",
            t19.c2 as "count"
          from (
            select t18.kind as "c0",
              t18.amenity_code as "c1",
              count(*) as "c2"
            from visitor_service_gaps t18
            group by 1, 2
          ) t19
          order by t19.c2 desc, t19.c0, t19.c1
          limit $6::int8
        ) r) as "groupBy"
    ) r) as "visitorServiceGaps"
) r;
