-- first road
-- $1 = datetime.date(2026, 6, 1)
-- $2 = datetime.date(2026, 4, 1)
-- $3 = 'STATE_PRISON'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code",
            t0.design_capacity as "designCapacity",
            (select r from (
              select t1.in_custody as "inCustody",
                t1.month as "month"
              from current_population_counts t1
              where t1.institution_id = t0.id
            ) r) as "population",
            (select r from (
              select array(select r from (
                  select t2.month as "month",
                    t2.in_custody as "inCustody"
                  from population_counts t2
                  where t2.institution_id = t0.id
                    and t2.month < $1::date
                    and t2.month >= $2::date
                  order by t2.month desc, t2.id desc
                  limit 20
                ) r) as "nodes",
                (select r from (
                  select t4.c0 as "count",
                    (select r from (
                      select t4.c1 as "avg",
                        t4.c2 as "max",
                        t4.c3 as "sum"
                    ) r) as "inCustody"
                  from (
                    select count(*) as "c0",
                      avg(t3.in_custody)::float8 as "c1",
                      max(t3.in_custody) as "c2",
                      sum(t3.in_custody)::float8 as "c3"
                    from population_counts t3
                    where t3.institution_id = t0.id
                      and t3.month < $1::date
                      and t3.month >= $2::date
                  ) t4
                ) r) as "aggregate"
            ) r) as "populationCounts"
          from institutions t0
          where t0.institution_type = $3::text
            and exists (
            select
            from current_population_counts t5
            where t5.institution_id = t0.id
              and t5.month = $1::date
          )
          order by (
            select t6.in_custody
            from current_population_counts t6
            where t6.institution_id = t0.id
          ) desc, t0.code, t0.id
          limit 3
        ) r) as "nodes"
    ) r) as "institutions"
) r;
