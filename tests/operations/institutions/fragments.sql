-- first road
-- $1 = UUID('00000000-0000-0000-0000-000000000000')
-- $2 = 'CRC'
select row_to_json(r)
from (
  select (select row_to_json(r) from (
      select 'Institution:' || t0.id::text as "id"
      from institutions t0
      where t0.id = $1::uuid
    ) r) as "node",
    (select r from (
      select 'Institution' as "__typename",
        (select r from (
          select (select r from (
              select t2.key as "key"
              from sources t2
              where t2.id = t1.source_id
            ) r) as "source",
            t1.source_date as "sourceDate"
        ) r) as "provenance",
        'Institution:' || t1.id::text as "id",
        t1.code as "code",
        t1.status as "status",
        t1.closed_on as "closedOn",
        (select r from (
          select array(select r from (
              select visitor_center_required(t3.institution_id, null::date) as "statutory",
                population_used(t3.institution_id, null::date) as "populationUsed"
              from visitor_centers t3
              where t3.institution_id = t1.id
                and t3.listed
              order by t3.name, t3.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters"
      from institutions t1
      where t1.code = $2::text
    ) r) as "institution"
) r;
