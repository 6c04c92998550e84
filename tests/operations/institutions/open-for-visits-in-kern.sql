-- first road
-- $1 = 'IN_PERSON'
-- $2 = 'OPEN'
-- $3 = '06029'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select (select r from (
              select t0.code as "code",
                t0.name as "name",
                (select r from (
                  select t1.status as "status"
                  from current_visiting_statuses t1
                  where t1.institution_id = t0.id
                    and t1.visit_type = $1::text
                ) r) as "visitingStatus",
                (select r from (
                  select array(select r from (
                      select array(select r from (
                          select t3.code as "code"
                          from visitor_amenities t3
                          where exists (
                            select
                            from visitor_center_amenities t4
                            where t4.visitor_center_id = t2.id
                              and t3.code = t4.amenity_code
                          )
                          order by t3.label_en, t3.code
                          limit 100
                        ) r) as "amenities"
                      from visitor_centers t2
                      where t2.institution_id = t0.id
                        and t2.listed
                      order by t2.name, t2.id
                      limit 20
                    ) r) as "nodes"
                ) r) as "visitorCenters"
            ) r) as "node"
          from institutions t0
          where t0.status = $2::text
            and t0.county_fips = $3::text
          order by t0.name, t0.id
          limit 10
        ) r) as "edges"
    ) r) as "institutions"
) r;
