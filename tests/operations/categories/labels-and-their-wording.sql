-- first road
-- $1 = 'HOUSING'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code",
            coalesce(t0.label_es, (
              select t1.text
              from translations t1
              where t1.category_code = t0.code
                and t1.field = 'label'
                and t1.original = t0.label_en
                and t1.language = 'ES'
            ), t0.label_en) as "label",
            (select r from (
              select t4.language as "language",
                t4.is_fallback as "isFallback",
                t4.method as "method"
              from (
                select case coalesce(t0.label_es, t2.text) is null
                    when true then 'EN'
                    when false then 'ES'
                  end as "language",
                  coalesce(t0.label_es, t2.text) is null as "is_fallback",
                  case t0.label_es is null
                    when true then t2.method
                  end as "method",
                  case t0.label_es is null
                    when true then t2.reviewed_at
                  end as "reviewed_at"
                from (
                  select 1 as "one"
                ) t3
                left join translations t2 on (t2.category_code = t0.code and t2.field = 'label' and t2.original = t0.label_en and t2.language = 'ES')
                where t0.label_en is not null
              ) t4
            ) r) as "labelWording",
            t0.label_en as "english",
            (select r from (
              select t5.language as "language",
                t5.is_fallback as "isFallback",
                t5.method as "method"
              from (
                select 'EN' as "language",
                  false as "is_fallback",
                  null::text as "method",
                  null::timestamptz as "reviewed_at"
                where t0.label_en is not null
              ) t5
            ) r) as "ofEnglish"
          from categories t0
          where t0.parent_code = $1::text
          order by coalesce(t0.label_es, (
            select t6.text
            from translations t6
            where t6.category_code = t0.code
              and t6.field = 'label'
              and t6.original = t0.label_en
              and t6.language = 'ES'
          ), t0.label_en), t0.code
          limit 20
        ) r) as "nodes"
    ) r) as "categories"
) r;
