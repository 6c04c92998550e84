-- first road
-- $1 = 'CLOSED'
-- $2 = 20
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code",
            t0.status as "status"
          from institutions t0
          where t0.status = $1::text
          order by t0.code, t0.id
          limit $2::int8
        ) r) as "nodes"
    ) r) as "institutions"
) r;
