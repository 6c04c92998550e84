-- first road
-- $1 = 'HOUSING'
select row_to_json(r)
from (
  select (select r from (
      select coalesce(t0.label_es, t0.label_en) as "label",
        (select r from (
          select t1.code as "code"
          from categories t1
          where t1.code = t0.parent_code
        ) r) as "parent",
        (select r from (
          select array(select r from (
              select t2.code as "code",
                coalesce(t2.label_es, t2.label_en) as "label",
                (select r from (
                  select t3.code as "code"
                  from categories t3
                  where t3.code = t2.parent_code
                ) r) as "parent",
                (select r from (
                  select (
                      select count(*)
                      from services t4
                      where exists (
                        select
                        from service_categories t5
                        where t5.category_code = t2.code
                          and t4.id = t5.service_id
                      )
                        and t4.listed
                    ) as "totalCount"
                ) r) as "services"
              from categories t2
              where t2.parent_code = t0.code
              order by t2.code
              limit 20
            ) r) as "nodes"
        ) r) as "children"
      from categories t0
      where t0.code = $1::text
    ) r) as "category"
) r;
