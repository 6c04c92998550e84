-- first road
-- $1 = '%anónimos%'
-- $2 = '%bus%'
-- $3 = '%a%'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.name as "name",
            coalesce((
              select t1.text
              from translations t1
              where t1.program_id = t0.id
                and t1.field = 'name'
                and t1.original = t0.name
                and t1.language = 'ES'
            ), t0.name) as "spanish"
          from programs t0
          where (t0.name ilike $1::text or exists (
            select
            from translations t2
            where t2.program_id = t0.id
              and t2.field = 'name'
              and t2.original = t0.name
              and t2.text ilike $1::text
          ))
          order by t0.name, t0.id
          limit 20
        ) r) as "nodes"
    ) r) as "inSpanish",
    (select r from (
      select array(select r from (
          select t3.name as "name",
            t3.summary as "summary",
            (select r from (
              select t4.language as "language"
              from (
                select 'EN' as "language",
                  false as "is_fallback",
                  null::text as "method",
                  null::timestamptz as "reviewed_at"
                where t3.summary is not null
              ) t4
            ) r) as "summaryWording"
          from programs t3
          where (t3.name ilike $2::text or exists (
            select
            from translations t5
            where t5.program_id = t3.id
              and t5.field = 'name'
              and t5.original = t3.name
              and t5.text ilike $2::text
          ))
          order by t3.name, t3.id
          limit 20
        ) r) as "nodes"
    ) r) as "inEnglish",
    (select r from (
      select (
          select count(*)
          from programs t6
          where (t6.name ilike $3::text or exists (
            select
            from translations t7
            where t7.program_id = t6.id
              and t7.field = 'name'
              and t7.original = t6.name
              and t7.text ilike $3::text
          )) is not true
        ) as "totalCount"
    ) r) as "neither"
) r;
