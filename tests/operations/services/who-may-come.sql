-- first road
-- $1 = 'FEMALE'
-- $2 = 17
-- $3 = '06083'
-- $4 = 20
-- $5 = 5
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from services t0
          where t0.listed
            and t0.audience @> '{VETERANS}'::text[]
        ) as "totalCount",
        array(select r from (
          select t1.name as "name",
            t1.audience as "audience",
            t1.audience_only as "audienceOnly"
          from services t1
          where t1.listed
            and t1.audience @> '{VETERANS}'::text[]
          order by t1.name, t1.id
          limit 1
        ) r) as "nodes"
    ) r) as "veterans",
    (select r from (
      select (
          select count(*)
          from services t2
          where t2.listed
            and t2.referral_routes && '{ANY,SELF}'::text[]
        ) as "totalCount",
        array(select r from (
          select t3.name as "name",
            t3.referral_routes as "referralRoutes"
          from services t3
          where t3.listed
            and t3.referral_routes && '{ANY,SELF}'::text[]
          order by t3.name, t3.id
          limit 20
        ) r) as "nodes"
    ) r) as "bySelf",
    (select r from (
      select (
          select count(*)
          from services t4
          where t4.listed
            and t4.fees @> '{SLIDING_SCALE}'::text[]
        ) as "totalCount",
        array(select r from (
          select t5.name as "name",
            t5.fees as "fees",
            array(select r from (
              select t6.option as "option",
                t6.note as "note",
                (select r from (
                  select (select r from (
                      select t7.name as "name"
                      from sources t7
                      where t7.id = t6.source_id
                    ) r) as "source"
                ) r) as "provenance"
              from cost_options t6
              where t6.service_id = t5.id
              order by t6.option, t6.id
              limit 100
            ) r) as "costOptions"
          from services t5
          where t5.listed
            and t5.fees @> '{SLIDING_SCALE}'::text[]
          order by t5.name, t5.id
          limit 1
        ) r) as "nodes"
    ) r) as "byIncome",
    (select r from (
      select (
          select count(*)
          from services t8
          where t8.listed
            and t8.accessibility @> '{WHEELCHAIR}'::text[]
        ) as "totalCount"
    ) r) as "wheelchair",
    (select r from (
      select (
          select count(*)
          from services t9
          where t9.listed
            and t9.gender = $1::text
        ) as "totalCount"
    ) r) as "women",
    (select r from (
      select (
          select count(*)
          from services t10
          where t10.listed
            and accepts_age(t10.ages, $2::int4)
        ) as "totalCount"
    ) r) as "seventeen",
    (select r from (
      select array(select r from (
          select (select r from (
              select t12.c0 as "criterion"
            ) r) as "key",
            t12.c1 as "count"
          from (
            select t13.value as "c0",
              count(*) as "c1"
            from services t11
            left join unnest(t11.criteria) t13(value) on true
            where t11.listed
              and t11.county_fips = $3::text
            group by 1
          ) t12
          order by t12.c1 desc, t12.c0
          limit $4::int8
        ) r) as "groupBy",
        array(select r from (
          select (select r from (
              select t15.c0 as "audience"
            ) r) as "key",
            t15.c1 as "count"
          from (
            select t16.value as "c0",
              count(*) as "c1"
            from services t14
            left join unnest(t14.audience) t16(value) on true
            where t14.listed
              and t14.county_fips = $3::text
            group by 1
          ) t15
          order by t15.c1 desc, t15.c0
          limit $5::int8
        ) r) as "byAudience"
    ) r) as "santaBarbara"
) r;
