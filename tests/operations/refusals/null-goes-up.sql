-- second road
-- $1 = 'SQ'
-- $2 = ['SQ', 'FOL']
-- $3 = '06037'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "name"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution",
    (select r from (
      select array(select r from (
          select t1.code as "code"
          from institutions t1
          where t1.code = any($2::text[])
          order by t1.name, t1.id
          limit 20
        ) r) as "nodes"
    ) r) as "institutions",
    (select r from (
      select t2.name as "name"
      from counties t2
      where t2.fips = $3::text
    ) r) as "county"
) r;
