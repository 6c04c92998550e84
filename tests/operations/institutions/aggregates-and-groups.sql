-- first road
-- $1 = 'STATE_PRISON'
-- $2 = 'OPEN'
-- $3 = 3
-- $4 = 'NOWHERE'
-- $5 = 20
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.code as "code"
          from institutions t0
          where t0.institution_type = $1::text
            and t0.status = $2::text
          order by t0.name, t0.id
          limit 1
        ) r) as "nodes",
        (select r from (
          select t2.c0 as "count",
            (select r from (
              select t2.c1 as "min",
                t2.c2 as "max"
            ) r) as "openedYear",
            (select r from (
              select t2.c3 as "sum",
                t2.c4 as "avg"
            ) r) as "designCapacity"
          from (
            select count(*) as "c0",
              min(t1.opened_year) as "c1",
              max(t1.opened_year) as "c2",
              sum(t1.design_capacity)::float8 as "c3",
              avg(t1.design_capacity)::float8 as "c4"
            from institutions t1
            where t1.institution_type = $1::text
              and t1.status = $2::text
          ) t2
        ) r) as "aggregate",
        array(select r from (
          select (select r from (
              select null as "status",
                (select r from (
                  select t5.name as "name"
                  from counties t5
                  where t5.fips = t4.c0
                ) r) as "county"
            ) r) as "key",
            t4.c1 as "count",
            (select r from (
              select (select r from (
                  select t4.c2 as "sum"
                ) r) as "designCapacity"
            ) r) as "aggregate"
          from (
            select t3.county_fips as "c0",
              count(*) as "c1",
              sum(t3.design_capacity)::float8 as "c2"
            from institutions t3
            where t3.institution_type = $1::text
              and t3.status = $2::text
            group by 1
          ) t4
          order by t4.c1 desc, t4.c0
          limit $3::int8
        ) r) as "groupBy"
    ) r) as "institutions",
    (select r from (
      select (select r from (
          select t7.c0 as "count",
            (select r from (
              select t7.c1 as "min",
                t7.c2 as "avg"
            ) r) as "openedYear"
          from (
            select count(*) as "c0",
              min(t6.opened_year) as "c1",
              avg(t6.opened_year)::float8 as "c2"
            from institutions t6
            where t6.code = $4::text
          ) t7
        ) r) as "aggregate",
        array(select r from (
          select t9.c1 as "count"
          from (
            select t8.status as "c0",
              count(*) as "c1"
            from institutions t8
            where t8.code = $4::text
            group by 1
          ) t9
          order by t9.c1 desc, t9.c0
          limit $5::int8
        ) r) as "groupBy"
    ) r) as "none"
) r;
