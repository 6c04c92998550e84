-- first road
-- $1 = 'MACHINE'
-- $2 = 'CAL'
-- $3 = 20
-- $4 = 'name'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from translations t0
          where t0.method = $1::text
            and t0.reviewed_at is null
            and exists (
            select
            from visitor_centers t1
            where t1.id = t0.visitor_center_id
              and exists (
              select
              from institutions t2
              where t2.id = t1.institution_id
                and t2.code = $2::text
            )
          )
        ) as "totalCount",
        array(select r from (
          select t3.field as "field",
            t3.language as "language",
            t3.original as "original",
            t3.text as "text",
            (select r from (
              select (select r from (
                  select t4.name as "name"
                  from sources t4
                  where t4.id = t3.source_id
                ) r) as "source"
            ) r) as "provenance"
          from translations t3
          where t3.method = $1::text
            and t3.reviewed_at is null
            and exists (
            select
            from visitor_centers t5
            where t5.id = t3.visitor_center_id
              and exists (
              select
              from institutions t6
              where t6.id = t5.institution_id
                and t6.code = $2::text
            )
          )
          order by t3.field, t3.language, t3.id
          limit 20
        ) r) as "nodes",
        array(select r from (
          select (select r from (
              select t10.c0 as "method"
            ) r) as "key",
            t10.c1 as "count"
          from (
            select t7.method as "c0",
              count(*) as "c1"
            from translations t7
            where t7.method = $1::text
              and t7.reviewed_at is null
              and exists (
              select
              from visitor_centers t8
              where t8.id = t7.visitor_center_id
                and exists (
                select
                from institutions t9
                where t9.id = t8.institution_id
                  and t9.code = $2::text
              )
            )
            group by 1
          ) t10
          order by t10.c1 desc, t10.c0
          limit $3::int8
        ) r) as "groupBy"
    ) r) as "translations",
    (select r from (
      select (
          select count(*)
          from programs t11
          where not exists (
            select
            from translations t12
            where t12.program_id = t11.id
              and t12.field = $4::text
          )
        ) as "totalCount"
    ) r) as "programs"
) r;
