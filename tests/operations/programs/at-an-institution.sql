-- first road
-- $1 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          select (
              select count(*)
              from programs t1
              where exists (
                select
                from ongoing_offerings t2
                where t2.institution_id = t0.id
                  and t1.id = t2.program_id
              )
            ) as "totalCount",
            array(select r from (
              select t3.slug as "slug",
                (select r from (
                  select array(select r from (
                      select t4.code as "code"
                      from categories t4
                      where exists (
                        select
                        from program_categories t5
                        where t5.program_id = t3.id
                          and t4.code = t5.category_code
                      )
                      order by t4.label_en, t4.code
                      limit 20
                    ) r) as "nodes"
                ) r) as "categories"
              from programs t3
              where exists (
                select
                from ongoing_offerings t6
                where t6.institution_id = t0.id
                  and t3.id = t6.program_id
              )
              order by t3.name, t3.id
              limit 3
            ) r) as "nodes"
        ) r) as "programs",
        (select r from (
          select (
              select count(*)
              from program_offerings t7
              where t7.institution_id = t0.id
            ) as "totalCount",
            array(select r from (
              select t8.status as "status",
                t8.evidence as "evidence",
                t8.as_of as "asOf",
                t8.as_of_precision as "asOfPrecision",
                (select r from (
                  select t9.slug as "slug"
                  from programs t9
                  where t9.id = t8.program_id
                ) r) as "program"
              from program_offerings t8
              where t8.institution_id = t0.id
              order by (
                select t10.name
                from programs t10
                where t10.id = t8.program_id
              ), t8.id
              limit 3
            ) r) as "nodes"
        ) r) as "programOfferings"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution"
) r;
