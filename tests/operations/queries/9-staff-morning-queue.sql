-- first road
-- $1 = datetime.datetime(2026, 7, 3, 9, 0, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=61200)))
-- $2 = 0.85
-- $3 = 'PENDING'
-- $4 = 0
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from services t0
          where t0.listed
            and (freshness_among(t0.fresh_until, t0.aging_until, '{NEVER_VERIFIED,STALE}'::text[]) or t0.verification_due_at <= $1::timestamptz)
        ) as "totalCount",
        array(select r from (
          select t1.name as "name",
            (select r from (
              select t2.name as "name"
              from providers t2
              where t2.id = t1.provider_id
            ) r) as "provider",
            (select r from (
              select freshness_state(t1.fresh_until, t1.aging_until) as "state",
                t1.verified_at as "verifiedAt",
                t1.verification_method as "method"
            ) r) as "freshness",
            (select r from (
              select t1.completeness as "score",
                t1.missing as "missing"
            ) r) as "completeness"
          from services t1
          where t1.listed
            and (freshness_among(t1.fresh_until, t1.aging_until, '{NEVER_VERIFIED,STALE}'::text[]) or t1.verification_due_at <= $1::timestamptz)
          order by t1.completeness, t1.id
          limit 3
        ) r) as "nodes"
    ) r) as "stale",
    (select r from (
      select (
          select count(*)
          from duplicate_candidates t3
          where t3.score >= $2::float8
            and t3.decision = $3::text
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select t4.score as "score",
                t4.reasons as "reasons",
                (select r from (
                  select t5.name as "name"
                  from providers t5
                  where t5.id = t4.left_id
                ) r) as "left",
                (select r from (
                  select t6.name as "name"
                  from providers t6
                  where t6.id = t4.right_id
                ) r) as "right"
            ) r) as "node"
          from duplicate_candidates t4
          where t4.score >= $2::float8
            and t4.decision = $3::text
          order by t4.score desc, t4.id desc
          limit 2
        ) r) as "edges"
    ) r) as "duplicateCandidates",
    (select r from (
      select (
          select count(*)
          from imports t7
          where t7.rows_rejected > $4::int4
        ) as "totalCount"
    ) r) as "failedImports"
) r;
