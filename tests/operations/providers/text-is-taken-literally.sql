-- first road
-- $1 = '%\\%%'
-- $2 = '%second\\_chance%'
-- $3 = '%second\\\\ chance%'
-- $4 = "%women's health%"
-- $5 = 'sEcOnD cHaNcE%'
-- $6 = 'second chance inc'
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from providers t0
          where t0.name ilike $1::text
        ) as "totalCount"
    ) r) as "percent",
    (select r from (
      select (
          select count(*)
          from providers t1
          where t1.name ilike $2::text
        ) as "totalCount"
    ) r) as "underscore",
    (select r from (
      select (
          select count(*)
          from providers t2
          where t2.name ilike $3::text
        ) as "totalCount"
    ) r) as "backslash",
    (select r from (
      select array(select r from (
          select t3.name as "name"
          from providers t3
          where t3.name ilike $4::text
          order by t3.name, t3.id
          limit 20
        ) r) as "nodes"
    ) r) as "quote",
    (select r from (
      select array(select r from (
          select t4.name as "name"
          from providers t4
          where t4.name ilike $5::text
          order by t4.name, t4.id
          limit 20
        ) r) as "nodes"
    ) r) as "capitals",
    (select r from (
      select (
          select count(*)
          from providers t5
          where t5.name = $6::text
        ) as "totalCount"
    ) r) as "exactly"
) r;
