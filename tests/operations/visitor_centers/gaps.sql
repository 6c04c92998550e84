-- first road
-- $1 = True
-- $2 = 20
-- $3 = 'TRANSIT_SHUTTLE'
-- $4 = False
-- $5 = 'STATE_PRISON'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from visitor_centers t0
          where t0.listed
            and visitor_center_required(t0.institution_id, null::date) = $1::bool
            and exists (
            select
            from visitor_amenities t2
            where exists (
              select
              from lacked_visitor_services t3
              where t3.visitor_center_id = t0.id
                and t2.code = t3.amenity_code
            )
          )
        ) as "totalCount"
    ) r) as "owingMore",
    (select r from (
      select array(select r from (
          select (select r from (
              select t5.c0 as "statutory",
                (select r from (
                  select t8.code as "code"
                  from visitor_amenities t8
                  where t8.code = t5.c1
                ) r) as "missingService"
            ) r) as "key",
            t5.c2 as "count"
          from (
            select visitor_center_required(t4.institution_id, null::date) as "c0",
              t7.value as "c1",
              count(*) as "c2"
            from visitor_centers t4
            left join lateral (
              select t6.amenity_code as "value"
              from lacked_visitor_services t6
              where t6.visitor_center_id = t4.id
            ) t7 on true
            where t4.listed
            group by 1, 2
          ) t5
          order by t5.c2 desc, t5.c0, t5.c1
          limit $2::int8
        ) r) as "groupBy"
    ) r) as "bySixServices",
    (select r from (
      select (
          select count(*)
          from visitor_centers t9
          where t9.listed
            and not exists (
            select
            from visitor_center_amenities t10
            where t10.visitor_center_id = t9.id
              and t10.amenity_code = $3::text
          )
        ) as "totalCount"
    ) r) as "withoutShuttle",
    (select r from (
      select (
          select count(*)
          from visitor_centers t11
          where t11.listed
            and not exists (
            select
            from visitor_amenities t13
            where exists (
              select
              from visitor_center_amenities t14
              where t14.visitor_center_id = t11.id
                and t13.code = t14.amenity_code
            )
              and (t13.statutory = $1::bool) is not true
          )
        ) as "totalCount"
    ) r) as "nothingButStatutory",
    (select r from (
      select array(select r from (
          select (select r from (
              select t16.code as "code",
                t16.status as "status"
              from institutions t16
              where t16.id = t15.institution_id
            ) r) as "institution",
            population_used(t15.institution_id, null::date) as "populationUsed",
            population_as_of(t15.institution_id, null::date) as "populationAsOf",
            t15.alert as "alert"
          from visitor_centers t15
          where t15.listed
            and visitor_center_required(t15.institution_id, null::date) = $4::bool
          order by t15.name, t15.id
          limit 20
        ) r) as "nodes"
    ) r) as "notRequired",
    (select r from (
      select array(select r from (
          select t17.code as "code",
            t17.status as "status"
          from institutions t17
          where t17.institution_type = $5::text
            and not exists (
            select
            from visitor_centers t18
            where t18.institution_id = t17.id
              and t18.listed
          )
          order by t17.name, t17.id
          limit 20
        ) r) as "nodes"
    ) r) as "prisonsWithout"
) r;
