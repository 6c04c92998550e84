-- first road
-- $1 = 20
-- $2 = 3
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select (select r from (
              select t1.c0 as "evidence",
                t1.c1 as "status"
            ) r) as "key",
            t1.c2 as "count",
            (select r from (
              select (select r from (
                  select t1.c3 as "min",
                    t1.c4 as "max"
                ) r) as "asOf"
            ) r) as "aggregate"
          from (
            select t0.evidence as "c0",
              t0.status as "c1",
              count(*) as "c2",
              min(t0.as_of) as "c3",
              max(t0.as_of) as "c4"
            from program_offerings t0
            group by 1, 2
          ) t1
          order by t1.c2 desc, t1.c0, t1.c1
          limit $1::int8
        ) r) as "groupBy",
        array(select r from (
          select (select r from (
              select (select r from (
                  select t4.slug as "slug",
                    t4.scope as "scope"
                  from programs t4
                  where t4.id = t3.c0
                ) r) as "program"
            ) r) as "key",
            t3.c1 as "count"
          from (
            select t2.program_id as "c0",
              count(*) as "c1"
            from program_offerings t2
            group by 1
          ) t3
          order by t3.c1 desc, t3.c0
          limit $2::int8
        ) r) as "byProgram"
    ) r) as "programOfferings"
) r;
