-- first road
-- $1 = 'Bill Wilson Center%'
-- $2 = 0.95
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.name as "name",
            t0.site_name as "siteName",
            (select r from (
              select (
                  select count(*)
                  from duplicate_candidates t1
                  where exists (
                    select
                    from provider_duplicates t2
                    where t2.provider_id = t0.id
                      and t1.id = t2.candidate_id
                  )
                ) as "totalCount",
                array(select r from (
                  select t3.score as "score",
                    t3.reasons as "reasons",
                    (select r from (
                      select t4.site_name as "siteName"
                      from providers t4
                      where t4.id = t3.left_id
                    ) r) as "left",
                    (select r from (
                      select t5.site_name as "siteName"
                      from providers t5
                      where t5.id = t3.right_id
                    ) r) as "right"
                  from duplicate_candidates t3
                  where exists (
                    select
                    from provider_duplicates t6
                    where t6.provider_id = t0.id
                      and t3.id = t6.candidate_id
                  )
                  order by t3.score desc, t3.id desc
                  limit 20
                ) r) as "nodes"
            ) r) as "duplicates"
          from providers t0
          where t0.name ilike $1::text
          order by t0.name, t0.id
          limit 2
        ) r) as "nodes"
    ) r) as "providers",
    (select r from (
      select (
          select count(*)
          from providers t7
          where exists (
            select
            from duplicate_candidates t9
            where exists (
              select
              from provider_duplicates t10
              where t10.provider_id = t7.id
                and t9.id = t10.candidate_id
            )
              and t9.score >= $2::float8
          )
        ) as "totalCount"
    ) r) as "withAny"
) r;
