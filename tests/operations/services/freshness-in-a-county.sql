-- first road
-- $1 = 20
-- $2 = datetime.datetime(2026, 7, 3, 16, 0, tzinfo=datetime.timezone.utc)
-- $3 = '06019'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name",
        (select r from (
          select (
              select count(*)
              from services t1
              where t1.county_fips = t0.fips
                and t1.listed
            ) as "totalCount",
            array(select r from (
              select (select r from (
                  select t3.c0 as "freshnessState"
                ) r) as "key",
                t3.c1 as "count",
                (select r from (
                  select (select r from (
                      select (select r from (
                          select t3.c2 as "max"
                        ) r) as "verifiedAt"
                    ) r) as "freshness"
                ) r) as "aggregate"
              from (
                select freshness_state(t2.fresh_until, t2.aging_until) as "c0",
                  count(*) as "c1",
                  max(t2.verified_at) as "c2"
                from services t2
                where t2.county_fips = t0.fips
                  and t2.listed
                group by 1
              ) t3
              order by t3.c1 desc, t3.c0
              limit $1::int8
            ) r) as "groupBy"
        ) r) as "services",
        (select r from (
          select (
              select count(*)
              from services t4
              where t4.county_fips = t0.fips
                and t4.listed
                and freshness_among(t4.fresh_until, t4.aging_until, '{NEVER_VERIFIED,STALE}'::text[])
            ) as "totalCount",
            array(select r from (
              select t5.name as "name",
                t5.status as "status",
                t5.alert as "alert",
                (select r from (
                  select freshness_state(t5.fresh_until, t5.aging_until) as "state",
                    t5.verified_at as "verifiedAt",
                    t5.verification_method as "method",
                    t5.verification_outcome as "outcome",
                    t5.verification_due_at as "nextDueAt"
                ) r) as "freshness",
                (select r from (
                  select t5.source_date as "sourceDate"
                ) r) as "provenance"
              from services t5
              where t5.county_fips = t0.fips
                and t5.listed
                and freshness_among(t5.fresh_until, t5.aging_until, '{NEVER_VERIFIED,STALE}'::text[])
              order by t5.verified_at desc, t5.id desc
              limit 2
            ) r) as "nodes"
        ) r) as "unchecked",
        (select r from (
          select (
              select count(*)
              from services t6
              where t6.county_fips = t0.fips
                and t6.listed
                and t6.verification_due_at <= $2::timestamptz
            ) as "totalCount"
        ) r) as "due"
      from counties t0
      where t0.fips = $3::text
    ) r) as "county"
) r;
