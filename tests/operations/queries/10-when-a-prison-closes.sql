-- first road
-- $1 = datetime.date(2026, 4, 30)
-- $2 = 20
-- $3 = 'CRC'
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
        visitor_center_required(t0.id, null::date) as "visitorCenterRequired",
        visitor_center_required(t0.id, $1::date) as "inApril",
        array(select r from (
          select t5.kind as "kind"
          from visitor_service_gaps t5
          where t5.institution_id = t0.id
          order by t5.key
          limit 100
        ) r) as "visitorServiceGaps",
        (select r from (
          select array(select r from (
              select visitor_center_required(t6.institution_id, null::date) as "statutory",
                population_used(t6.institution_id, null::date) as "populationUsed",
                t6.status as "status",
                t6.alert as "alert",
                (select r from (
                  select t7.name as "name"
                  from providers t7
                  where t7.id = t6.operator_id
                ) r) as "operator"
              from visitor_centers t6
              where t6.institution_id = t0.id
                and t6.listed
              order by t6.name, t6.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters",
        (select r from (
          select (
              select count(*)
              from programs t8
              where exists (
                select
                from ongoing_offerings t9
                where t9.institution_id = t0.id
                  and t8.id = t9.program_id
              )
            ) as "totalCount"
        ) r) as "programs",
        (select r from (
          select array(select r from (
              select (select r from (
                  select (select r from (
                      select t14.code as "code"
                      from categories t14
                      where t14.code = t11.c0
                    ) r) as "category",
                    t11.c1 as "evidence"
                ) r) as "key",
                t11.c2 as "count"
              from (
                select t13.value as "c0",
                  t10.evidence as "c1",
                  count(*) as "c2"
                from program_offerings t10
                left join lateral (
                  select t12.category_code as "value"
                  from program_categories t12
                  where t12.program_id = t10.program_id
                  group by 1
                ) t13 on true
                where t10.institution_id = t0.id
                group by 1, 2
              ) t11
              order by t11.c2 desc, t11.c0, t11.c1
              limit $2::int8
            ) r) as "groupBy"
        ) r) as "programOfferings",
        (select r from (
          select (
              select count(*)
              from verifications t15
              where t15.institution_id = t0.id
            ) as "totalCount"
        ) r) as "verifications"
      from institutions t0
      where t0.code = $3::text
    ) r) as "institution"
) r;
