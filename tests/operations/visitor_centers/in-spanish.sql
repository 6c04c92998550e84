-- first road
-- $1 = 'IN_PERSON'
-- $2 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          select t1.status as "status",
            coalesce((
              select t2.text
              from translations t2
              where t2.visiting_status_id = t1.id
                and t2.field = 'exceptions'
                and t2.original = t1.exceptions
                and t2.language = 'ES'
            ), t1.exceptions) as "exceptions",
            (select r from (
              select t5.language as "language",
                t5.method as "method",
                t5.reviewed_at as "reviewedAt"
              from (
                select case t3.text is null
                    when true then 'EN'
                    when false then 'ES'
                  end as "language",
                  t3.text is null as "is_fallback",
                  t3.method as "method",
                  t3.reviewed_at as "reviewed_at"
                from (
                  select 1 as "one"
                ) t4
                left join translations t3 on (t3.visiting_status_id = t1.id and t3.field = 'exceptions' and t3.original = t1.exceptions and t3.language = 'ES')
                where t1.exceptions is not null
              ) t5
            ) r) as "exceptionsWording"
          from current_visiting_statuses t1
          where t1.institution_id = t0.id
            and t1.visit_type = $1::text
        ) r) as "visitingStatus",
        (select r from (
          select array(select r from (
              select t6.name as "name",
                coalesce((
                  select t7.text
                  from translations t7
                  where t7.visitor_center_id = t6.id
                    and t7.field = 'alert'
                    and t7.original = t6.alert
                    and t7.language = 'ES'
                ), t6.alert) as "alert",
                coalesce((
                  select t8.text
                  from translations t8
                  where t8.visitor_center_id = t6.id
                    and t8.field = 'hoursText'
                    and t8.original = t6.hours_text
                    and t8.language = 'ES'
                ), t6.hours_text) as "hoursText",
                (select r from (
                  select t11.language as "language",
                    t11.is_fallback as "isFallback",
                    t11.method as "method"
                  from (
                    select case t9.text is null
                        when true then 'EN'
                        when false then 'ES'
                      end as "language",
                      t9.text is null as "is_fallback",
                      t9.method as "method",
                      t9.reviewed_at as "reviewed_at"
                    from (
                      select 1 as "one"
                    ) t10
                    left join translations t9 on (t9.visitor_center_id = t6.id and t9.field = 'hoursText' and t9.original = t6.hours_text and t9.language = 'ES')
                    where t6.hours_text is not null
                  ) t11
                ) r) as "hoursTextWording",
                array(select r from (
                  select coalesce(t12.label_es, t12.label_en) as "label",
                    (select r from (
                      select t13.language as "language",
                        t13.method as "method"
                      from (
                        select case t12.label_es is null
                            when true then 'EN'
                            when false then 'ES'
                          end as "language",
                          t12.label_es is null as "is_fallback",
                          null::text as "method",
                          null::timestamptz as "reviewed_at"
                        where t12.label_en is not null
                      ) t13
                    ) r) as "labelWording"
                  from visitor_amenities t12
                  where exists (
                    select
                    from visitor_center_amenities t14
                    where t14.visitor_center_id = t6.id
                      and t12.code = t14.amenity_code
                  )
                  order by t12.label_en, t12.code
                  limit 100
                ) r) as "amenities"
              from visitor_centers t6
              where t6.institution_id = t0.id
                and t6.listed
              order by t6.name, t6.id
              limit 20
            ) r) as "nodes"
        ) r) as "visitorCenters"
      from institutions t0
      where t0.code = $2::text
    ) r) as "institution"
) r;
