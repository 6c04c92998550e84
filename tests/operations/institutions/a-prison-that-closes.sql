-- first road
-- $1 = 'CRC'
select row_to_json(r)
from (
  select (select r from (
      select t0.status as "status",
        t0.closed_on as "closedOn",
        t0.status_note as "statusNote",
        (select r from (
          with p1 as materialized (
            select t4.month,
              t4.in_custody,
              row_number() over() as ".n"
            from (
              select t3.month,
                t3.in_custody
              from population_counts t3
              where t3.institution_id = t0.id
              order by t3.month, t3.id
              limit 7
            ) t4
          )
          select array(select r from (
              select t2.month as "month",
                t2.in_custody as "inCustody"
              from p1 t2
              where t2.".n" <= 6
              order by t2.".n" desc
            ) r) as "nodes"
        ) r) as "populationCounts",
        (select r from (
          select array(select r from (
              select visitor_center_required(t5.institution_id, null::date) as "statutory",
                t5.status as "status",
                t5.alert as "alert"
              from visitor_centers t5
              where t5.institution_id = t0.id
                and t5.listed
              order by t5.name, t5.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters",
        (select r from (
          select (
              select count(*)
              from programs t6
              where exists (
                select
                from program_offerings t7
                where t7.institution_id = t0.id
                  and t6.id = t7.program_id
              )
            ) as "totalCount"
        ) r) as "programs"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution"
) r;
