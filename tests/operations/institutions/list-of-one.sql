-- first road
-- $1 = ['OPEN']
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code",
            t0.opened_year as "openedYear"
          from institutions t0
          where t0.status = any($1::text[])
            and t0.security_levels @> '{RHU}'::text[]
          order by t0.opened_year, t0.id
          limit 20
        ) r) as "nodes"
    ) r) as "institutions",
    (select r from (
      select array(select r from (
          select t1.code as "code"
          from institutions t1
          where t1.security_levels && '{RECEPTION}'::text[]
          order by t1.name, t1.id
          limit 20
        ) r) as "nodes"
    ) r) as "reception"
) r;
