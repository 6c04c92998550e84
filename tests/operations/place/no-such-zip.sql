-- first road
-- $1 = '90000'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from institutions t0
          where exists (
            select
            from locations t1
            where t1.id = t0.location_id
              and t1.position <@ cube_enlarge((
              select near_position($1::text, null::float8, null::float8)
            ), chord(coalesce(null::float8, 50.0::float8)), 3)
              and (t1.position <-> (
              select near_position($1::text, null::float8, null::float8)
            )) <= chord(coalesce(null::float8, 50.0::float8))
          )
        ) as "totalCount"
    ) r) as "institutions"
) r;
