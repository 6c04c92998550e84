-- first road
-- $1 = 20
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select (select r from (
              select t1.code as "code"
              from institutions t1
              where t1.id = t0.institution_id
            ) r) as "institution",
            t0.status as "status",
            t0.last_updated as "lastUpdated",
            visiting_status_freshness(t0.last_updated) as "freshnessState"
          from visiting_statuses t0
          order by t0.last_updated desc, t0.id desc
          limit 20
        ) r) as "nodes",
        array(select r from (
          select (select r from (
              select t3.c0 as "freshnessState"
            ) r) as "key",
            t3.c1 as "count"
          from (
            select visiting_status_freshness(t2.last_updated) as "c0",
              count(*) as "c1"
            from visiting_statuses t2
            group by 1
          ) t3
          order by t3.c1 desc, t3.c0
          limit $1::int8
        ) r) as "groupBy"
    ) r) as "visitingStatuses"
) r;
