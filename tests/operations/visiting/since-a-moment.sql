-- first road
-- $1 = datetime.datetime(2026, 4, 30, 16, 14, tzinfo=datetime.timezone.utc)
-- $2 = datetime.datetime(2026, 4, 30, 9, 14, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=61200)))
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select (select r from (
              select t1.code as "code"
              from institutions t1
              where t1.id = t0.institution_id
            ) r) as "institution",
            t0.last_updated as "lastUpdated"
          from visiting_statuses t0
          where t0.last_updated >= $1::timestamptz
          order by t0.last_updated desc, t0.id desc
          limit 20
        ) r) as "nodes"
    ) r) as "visitingStatuses",
    (select r from (
      select (
          select count(*)
          from visiting_statuses t2
          where t2.last_updated >= $2::timestamptz
        ) as "totalCount"
    ) r) as "same"
) r;
