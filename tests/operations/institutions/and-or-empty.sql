-- first road
-- $1 = []
-- $2 = 'SQ'
-- $3 = 'FOL'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from institutions t0
        ) as "totalCount"
    ) r) as "all",
    (select r from (
      select (
          select count(*)
          from institutions t1
        ) as "totalCount"
    ) r) as "alsoAll",
    (select r from (
      select (
          select count(*)
          from institutions t2
          where false
        ) as "totalCount"
    ) r) as "none",
    (select r from (
      select (
          select count(*)
          from institutions t3
          where t3.code = any($1::text[])
        ) as "totalCount"
    ) r) as "noneEither",
    (select r from (
      select (
          select count(*)
          from institutions t4
          where false
        ) as "totalCount"
    ) r) as "notAll",
    (select r from (
      select array(select r from (
          select t5.code as "code"
          from institutions t5
          where (t5.code = $2::text or t5.code = $3::text)
          order by t5.name, t5.id
          limit 20
        ) r) as "nodes"
    ) r) as "two"
) r;
