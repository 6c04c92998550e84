-- first road
-- $1 = 20
-- $2 = 50
-- $3 = '06037'
-- $4 = 100
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          select array(select r from (
              select t1.name as "name",
                (select r from (
                  select t1.completeness as "score",
                    t1.missing as "missing"
                ) r) as "completeness"
              from providers t1
              where t1.county_fips = t0.fips
                and t1.listed
              order by t1.completeness desc, t1.id desc
              limit 3
            ) r) as "nodes",
            (select r from (
              select (select r from (
                  select (select r from (
                      select t3.c0 as "avg",
                        t3.c1 as "min"
                    ) r) as "score"
                ) r) as "completeness"
              from (
                select avg(t2.completeness)::float8 as "c0",
                  min(t2.completeness) as "c1"
                from providers t2
                where t2.county_fips = t0.fips
                  and t2.listed
              ) t3
            ) r) as "aggregate",
            array(select r from (
              select (select r from (
                  select t5.c0 as "completenessMissing"
                ) r) as "key",
                t5.c1 as "count"
              from (
                select t6.value as "c0",
                  count(*) as "c1"
                from providers t4
                left join unnest(t4.missing) t6(value) on true
                where t4.county_fips = t0.fips
                  and t4.listed
                group by 1
              ) t5
              order by t5.c1 desc, t5.c0
              limit $1::int8
            ) r) as "groupBy"
        ) r) as "providers",
        (select r from (
          select array(select r from (
              select t7.name as "name",
                (select r from (
                  select t7.completeness as "score",
                    t7.missing as "missing"
                ) r) as "completeness"
              from providers t7
              where t7.county_fips = t0.fips
                and t7.listed
              order by t7.completeness, t7.id
              limit 2
            ) r) as "nodes"
        ) r) as "last",
        (select r from (
          select (
              select count(*)
              from providers t8
              where t8.county_fips = t0.fips
                and t8.listed
                and t8.completeness < $2::int4
                and t8.missing @> '{ADDRESS,PHONE}'::text[]
            ) as "totalCount"
        ) r) as "unreachable"
      from counties t0
      where t0.fips = $3::text
    ) r) as "county",
    (select r from (
      select (
          select count(*)
          from institutions t9
          where t9.missing @> '{VISITING_STATUS}'::text[]
        ) as "totalCount"
    ) r) as "institutions",
    (select r from (
      select array(select r from (
          select t10.slug as "slug",
            (select r from (
              select t10.completeness as "score",
                t10.missing as "missing"
            ) r) as "completeness"
          from visitor_centers t10
          where t10.listed
          order by t10.completeness desc, t10.slug, t10.id
          limit 2
        ) r) as "nodes"
    ) r) as "visitorCenters",
    (select r from (
      select array(select r from (
          select t11.slug as "slug"
          from programs t11
          where t11.completeness = $4::int4
          order by t11.name, t11.id
          limit 20
        ) r) as "nodes"
    ) r) as "programs"
) r;
