-- first road
-- $1 = 'CLOSED'
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code",
            t0.status as "status"
          from institutions t0
          where t0.status = $1::text
          order by t0.code, t0.id
          limit 20
        ) r) as "nodes"
    ) r) as "institutions"
) r;
