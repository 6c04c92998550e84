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
                  from provider_duplicate_candidates t1
                  where t1.provider_id = t0.id
                ) as "totalCount",
                array(select r from (
                  select t2.score as "score",
                    t2.reasons as "reasons",
                    (select r from (
                      select t3.site_name as "siteName"
                      from providers t3
                      where t3.id = t2.left_id
                    ) r) as "left",
                    (select r from (
                      select t4.site_name as "siteName"
                      from providers t4
                      where t4.id = t2.right_id
                    ) r) as "right"
                  from provider_duplicate_candidates t2
                  where t2.provider_id = t0.id
                  order by t2.score desc, t2.id desc
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
          from providers t5
          where t5.listed
            and exists (
            select
            from provider_duplicate_candidates t6
            where t6.provider_id = t5.id
              and t6.score >= $2::float8
          )
        ) as "totalCount"
    ) r) as "withAny"
) r;
