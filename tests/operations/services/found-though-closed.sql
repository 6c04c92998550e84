-- first road
-- $1 = ['DEFUNCT', 'TEMPORARILY_CLOSED', 'INACTIVE']
-- $2 = 'CRC'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from services t0
          where t0.listed
        ) as "totalCount"
    ) r) as "services",
    (select r from (
      select (
          select count(*)
          from services t1
          where t1.status = any($1::text[])
        ) as "totalCount",
        array(select r from (
          select t2.name as "name",
            t2.status as "status",
            t2.alert as "alert"
          from services t2
          where t2.status = any($1::text[])
          order by t2.name, t2.id
          limit 20
        ) r) as "nodes"
    ) r) as "closed",
    (select r from (
      select (select r from (
          select array(select r from (
              select t4.slug as "slug",
                t4.status as "status",
                t4.alert as "alert"
              from visitor_centers t4
              where t4.institution_id = t3.id
                and t4.listed
              order by t4.name, t4.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters"
      from institutions t3
      where t3.code = $2::text
    ) r) as "institution"
) r;
