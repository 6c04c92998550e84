-- second road
-- $1 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution",
    (select r from (
      select (
          select count(*)
          from institutions t1
        ) as "totalCount"
    ) r) as "institutions",
    (select r from (
      select
    ) r) as "programs"
) r;
