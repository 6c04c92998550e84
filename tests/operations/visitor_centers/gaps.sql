-- first road
-- $1 = 'TRANSIT_SHUTTLE'
-- $2 = True
-- $3 = False
-- $4 = 'STATE_PRISON'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from visitor_centers t0
          where t0.listed
            and not exists (
            select
            from visitor_center_amenities t1
            where t1.visitor_center_id = t0.id
              and t1.amenity_code = $1::text
          )
        ) as "totalCount"
    ) r) as "withoutShuttle",
    (select r from (
      select (
          select count(*)
          from visitor_centers t2
          where t2.listed
            and not exists (
            select
            from visitor_amenities t4
            where exists (
              select
              from visitor_center_amenities t5
              where t5.visitor_center_id = t2.id
                and t4.code = t5.amenity_code
            )
              and (t4.statutory = $2::bool) is not true
          )
        ) as "totalCount"
    ) r) as "nothingButStatutory",
    (select r from (
      select array(select r from (
          select (select r from (
              select t7.code as "code",
                t7.status as "status"
              from institutions t7
              where t7.id = t6.institution_id
            ) r) as "institution",
            t6.population_used as "populationUsed",
            t6.alert as "alert"
          from visitor_centers t6
          where t6.listed
            and t6.statutory = $3::bool
          order by t6.name, t6.id
          limit 20
        ) r) as "nodes"
    ) r) as "notRequired",
    (select r from (
      select array(select r from (
          select t8.code as "code",
            t8.status as "status"
          from institutions t8
          where t8.institution_type = $4::text
            and not exists (
            select
            from visitor_centers t9
            where t9.institution_id = t8.id
              and t9.listed
          )
          order by t8.name, t8.id
          limit 20
        ) r) as "nodes"
    ) r) as "prisonsWithout"
) r;
