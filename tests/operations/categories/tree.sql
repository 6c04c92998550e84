-- first road
-- $1 = 'HOUSING'
select row_to_json(r)
from (
  select (select r from (
      select coalesce(t0.label_es, (
          select t1.text
          from translations t1
          where t1.category_code = t0.code
            and t1.field = 'label'
            and t1.original = t0.label_en
            and t1.language = 'ES'
        ), t0.label_en) as "label",
        (select r from (
          select t2.code as "code"
          from categories t2
          where t2.code = t0.parent_code
        ) r) as "parent",
        (select r from (
          select array(select r from (
              select t3.code as "code",
                coalesce(t3.label_es, (
                  select t4.text
                  from translations t4
                  where t4.category_code = t3.code
                    and t4.field = 'label'
                    and t4.original = t3.label_en
                    and t4.language = 'ES'
                ), t3.label_en) as "label",
                (select r from (
                  select t5.code as "code"
                  from categories t5
                  where t5.code = t3.parent_code
                ) r) as "parent",
                (select r from (
                  select (
                      select count(*)
                      from services t6
                      where exists (
                        select
                        from service_categories t7
                        where t7.category_code = t3.code
                          and t6.id = t7.service_id
                      )
                        and t6.listed
                    ) as "totalCount"
                ) r) as "services"
              from categories t3
              where t3.parent_code = t0.code
              order by t3.code
              limit 20
            ) r) as "nodes"
        ) r) as "children"
      from categories t0
      where t0.code = $1::text
    ) r) as "category"
) r;
