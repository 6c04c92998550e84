-- first road
-- $1 = 2
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code"
          from institutions t0
          order by t0.name, t0.id
          limit $1::int8
        ) r) as "nodes"
    ) r) as "default",
    (select r from (
      select array(select r from (
          select t1.code as "code"
          from institutions t1
          order by t1.name, t1.id
          limit 20
        ) r) as "nodes"
    ) r) as "null",
    (select r from (
      with p2 as materialized (
        select row_number() over() as ".n"
        from (
          select
          from institutions t5
          order by t5.name, t5.id
          limit 21
        ) t6
      )
      select (select r from (
          select exists (
              select
              from p2 t3
              where t3.".n" > 20
            ) as "hasNextPage"
        ) r) as "pageInfo",
        (
          select count(*)
          from institutions t4
        ) as "totalCount"
    ) r) as "missing"
) r;
