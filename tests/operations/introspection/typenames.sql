-- first road
-- $1 = 'SQ'
-- $2 = 20
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t8.location_id,
          row_number() over() as ".n"
        from (
          select t7.location_id
          from institutions t7
          where t7.code = $1::text
          order by t7.name, t7.id
          limit 2
        ) t8
      )
      select 'InstitutionConnection' as "__typename",
        array(select r from (
          select 'InstitutionEdge' as "__typename",
            (select r from (
              select 'Institution' as "__typename",
                (select r from (
                  select 'Location' as "__typename"
                  from locations t2
                  where t2.id = t1.location_id
                ) r) as "location"
            ) r) as "node"
          from p0 t1
          where t1.".n" <= 1
          order by t1.".n"
        ) r) as "edges",
        (select r from (
          select 'PageInfo' as "kind"
        ) r) as "pageInfo",
        (select r from (
          select 'InstitutionAggregate' as "__typename",
            (select r from (
              select 'IntStatistics' as "__typename",
                t4.c0 as "min"
            ) r) as "openedYear"
          from (
            select min(t3.opened_year) as "c0"
            from institutions t3
            where t3.code = $1::text
          ) t4
        ) r) as "aggregate",
        array(select r from (
          select 'InstitutionGroup' as "__typename",
            (select r from (
              select 'InstitutionGroupKey' as "__typename",
                t6.c0 as "status"
            ) r) as "key",
            (select r from (
              select 'InstitutionAggregate' as "__typename"
            ) r) as "aggregate"
          from (
            select t5.status as "c0",
              count(*) as "c1"
            from institutions t5
            where t5.code = $1::text
            group by 1
          ) t6
          order by t6.c1 desc, t6.c0
          limit $2::int8
        ) r) as "groupBy"
    ) r) as "institutions"
) r;
