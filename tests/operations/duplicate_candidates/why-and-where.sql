-- first road
-- $1 = 20
-- $2 = '06019'
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          select t1.c0 as "count",
            (select r from (
              select t1.c1 as "min",
                t1.c2 as "max"
            ) r) as "score"
          from (
            select count(*) as "c0",
              min(t0.score) as "c1",
              max(t0.score) as "c2"
            from duplicate_candidates t0
          ) t1
        ) r) as "aggregate",
        array(select r from (
          select (select r from (
              select t3.c0 as "decision"
            ) r) as "key",
            t3.c1 as "count"
          from (
            select t2.decision as "c0",
              count(*) as "c1"
            from duplicate_candidates t2
            group by 1
          ) t3
          order by t3.c1 desc, t3.c0
          limit $1::int8
        ) r) as "byDecision",
        array(select r from (
          select (select r from (
              select t5.c0 as "reason"
            ) r) as "key",
            t5.c1 as "count"
          from (
            select t6.value as "c0",
              count(*) as "c1"
            from duplicate_candidates t4
            left join unnest(t4.reasons) t6(value) on true
            group by 1
          ) t5
          order by t5.c1 desc, t5.c0
          limit $1::int8
        ) r) as "byReason"
    ) r) as "duplicateCandidates",
    (select r from (
      select (
          select count(*)
          from duplicate_candidates t7
          where (t7.reasons @> '{DIFFERENT_SUITE}'::text[]) is not true
            and exists (
            select
            from providers t8
            where t8.id = t7.left_id
              and t8.county_fips = $2::text
          )
            and t7.reasons @> '{SAME_ADDRESS,SAME_NAME}'::text[]
        ) as "totalCount",
        array(select r from (
          select t9.score as "score",
            t9.reasons as "reasons",
            (select r from (
              select t10.name as "name"
              from providers t10
              where t10.id = t9.left_id
            ) r) as "left",
            (select r from (
              select t11.name as "name"
              from providers t11
              where t11.id = t9.right_id
            ) r) as "right"
          from duplicate_candidates t9
          where (t9.reasons @> '{DIFFERENT_SUITE}'::text[]) is not true
            and exists (
            select
            from providers t12
            where t12.id = t9.left_id
              and t12.county_fips = $2::text
          )
            and t9.reasons @> '{SAME_ADDRESS,SAME_NAME}'::text[]
          order by t9.score desc, t9.id desc
          limit 2
        ) r) as "nodes"
    ) r) as "inFresno"
) r;
