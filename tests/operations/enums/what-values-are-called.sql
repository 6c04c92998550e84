-- first road
-- $1 = ['VisitingStatusCode', 'Weekday']
-- $2 = 'VisitType'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.name as "name",
            array(select r from (
              select t1.value as "value",
                coalesce((
                  select t2.text
                  from translations t2
                  where t2.enum_value_key = t1.key
                    and t2.field = 'label'
                    and t2.original = t1.label
                    and t2.language = 'ES'
                ), t1.label) as "label"
              from enum_values t1
              where t1.enum_name = t0.name
              order by t1.place, t1.key
              limit 100
            ) r) as "values"
          from enums t0
          where t0.name = any($1::text[])
          order by t0.name
          limit 100
        ) r) as "nodes"
    ) r) as "enums",
    (select r from (
      select array(select r from (
          select t4.value as "value",
            t4.label as "english",
            coalesce((
              select t5.text
              from translations t5
              where t5.enum_value_key = t4.key
                and t5.field = 'label'
                and t5.original = t4.label
                and t5.language = 'ES'
            ), t4.label) as "label",
            (select r from (
              select t8.language as "language",
                t8.method as "method"
              from (
                select case t6.text is null
                    when true then 'EN'
                    when false then 'ES'
                  end as "language",
                  t6.text is null as "is_fallback",
                  t6.method as "method",
                  t6.reviewed_at as "reviewed_at"
                from (
                  select 1 as "one"
                ) t7
                left join translations t6 on (t6.enum_value_key = t4.key and t6.field = 'label' and t6.original = t4.label and t6.language = 'ES')
                where t4.label is not null
              ) t8
            ) r) as "labelWording"
          from enum_values t4
          where t4.enum_name = t3.name
          order by t4.place, t4.key
          limit 100
        ) r) as "values"
      from enums t3
      where t3.name = $2::text
    ) r) as "enum"
) r;
