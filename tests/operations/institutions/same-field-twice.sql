-- first road
-- $1 = 'FOL'
-- $2 = 'FWF'
select row_to_json(r)
from (
  select (select r from (
      select t0.name as "men",
        (select r from (
          with p1 as materialized (
            select t4.month,
              t4.in_custody,
              row_number() over() as ".n"
            from (
              select t3.month,
                t3.in_custody
              from population_counts t3
              where t3.institution_id = t0.id
              order by t3.month, t3.id
              limit 2
            ) t4
          )
          select array(select r from (
              select t2.month as "month",
                t2.in_custody as "inCustody"
              from p1 t2
              where t2.".n" <= 1
              order by t2.".n" desc
            ) r) as "nodes"
        ) r) as "oldest",
        (select r from (
          select array(select r from (
              select t5.month as "month",
                t5.in_custody as "inCustody"
              from population_counts t5
              where t5.institution_id = t0.id
              order by t5.month desc, t5.id desc
              limit 1
            ) r) as "nodes"
        ) r) as "newest"
      from institutions t0
      where t0.code = $1::text
    ) r) as "folsom",
    (select r from (
      select t6.name as "name",
        (select r from (
          select t7.code as "code"
          from institutions t7
          where t7.id = t6.parent_id
        ) r) as "parent"
      from institutions t6
      where t6.code = $2::text
    ) r) as "women"
) r;
