-- first road
-- $1 = 'IN_PERSON'
-- $2 = 'VIDEO'
-- $3 = 'PBSP'
-- $4 = 'SQ'
-- $5 = 'ASP'
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          select t1.visit_type as "visitType",
            t1.status as "status",
            t1.exceptions as "exceptions",
            t1.affected_yards as "affectedYards",
            t1.last_updated as "lastUpdated"
          from current_visiting_statuses t1
          where t1.institution_id = t0.id
            and t1.visit_type = $1::text
        ) r) as "visitingStatus",
        (select r from (
          select t2.status as "status"
          from current_visiting_statuses t2
          where t2.institution_id = t0.id
            and t2.visit_type = $2::text
        ) r) as "byVariable"
      from institutions t0
      where t0.code = $3::text
    ) r) as "institution",
    (select r from (
      select (select r from (
          select t4.status as "status"
          from current_visiting_statuses t4
          where t4.institution_id = t3.id
            and t4.visit_type = $1::text
        ) r) as "visitingStatus"
      from institutions t3
      where t3.code = $4::text
    ) r) as "unknown",
    (select r from (
      select (select r from (
          select t6.status as "status"
          from current_visiting_statuses t6
          where t6.institution_id = t5.id
            and t6.visit_type = $1::text
        ) r) as "visitingStatus"
      from institutions t5
      where t5.code = $5::text
    ) r) as "nothingSaid"
) r;
