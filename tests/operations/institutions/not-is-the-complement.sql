-- first road
-- $1 = 'STATE_PRISON'
-- $2 = 1950
select row_to_json(r)
from (
  select (select r from (
      select (
          select count(*)
          from institutions t0
          where t0.institution_type = $1::text
        ) as "totalCount"
    ) r) as "all",
    (select r from (
      select (
          select count(*)
          from institutions t1
          where t1.institution_type = $1::text
            and t1.opened_year < $2::int4
        ) as "totalCount",
        array(select r from (
          select t2.code as "code",
            t2.opened_year as "openedYear"
          from institutions t2
          where t2.institution_type = $1::text
            and t2.opened_year < $2::int4
          order by t2.name, t2.id
          limit 20
        ) r) as "nodes"
    ) r) as "old",
    (select r from (
      select (
          select count(*)
          from institutions t3
          where (t3.opened_year < $2::int4) is not true
            and t3.institution_type = $1::text
        ) as "totalCount"
    ) r) as "notOld",
    (select r from (
      select array(select r from (
          select t4.code as "code",
            t4.opened_year as "openedYear"
          from institutions t4
          where t4.opened_year is null
            and (t4.opened_year < $2::int4) is not true
            and t4.institution_type = $1::text
          order by t4.name, t4.id
          limit 20
        ) r) as "nodes"
    ) r) as "notOldButUnknown"
) r;
