-- first road
-- $1 = 'Tenderloin Housing Clinic'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select coalesce((
              select t1.text
              from translations t1
              where t1.service_id = t0.id
                and t1.field = 'hoursText'
                and t1.original = t0.hours_text
                and t1.language = 'ES'
            ), t0.hours_text) as "hoursText",
            (select r from (
              select t4.language as "language",
                t4.is_fallback as "isFallback",
                t4.method as "method"
              from (
                select case t2.text is null
                    when true then 'EN'
                    when false then 'ES'
                  end as "language",
                  t2.text is null as "is_fallback",
                  t2.method as "method",
                  t2.reviewed_at as "reviewed_at"
                from (
                  select 1 as "one"
                ) t3
                left join translations t2 on (t2.service_id = t0.id and t2.field = 'hoursText' and t2.original = t0.hours_text and t2.language = 'ES')
                where t0.hours_text is not null
              ) t4
            ) r) as "hoursTextWording"
          from services t0
          where t0.listed
            and exists (
            select
            from providers t5
            where t5.id = t0.provider_id
              and t5.name = $1::text
          )
          order by t0.name, t0.id
          limit 1
        ) r) as "nodes"
    ) r) as "services"
) r;
