-- second road
-- $1 = 'friends-outside-cal'
-- $2 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select
      from visitor_centers t0
      where t0.slug = $1::text
    ) r) as "backwards",
    (select r from (
      select
      from visitor_centers t1
      where t1.slug = $1::text
    ) r) as "tooMany",
    (select r from (
      select
      from visitor_centers t2
      where t2.slug = $1::text
    ) r) as "half",
    (select r from (
      select
      from visitor_centers t3
      where t3.slug = $1::text
    ) r) as "both",
    (select r from (
      select
      from visitor_centers t4
      where t4.slug = $1::text
    ) r) as "longAgo",
    (select r from (
      select
      from visitor_centers t5
      where t5.slug = $1::text
    ) r) as "farAhead",
    (select r from (
      select (select r from (
          select t7.day as "date"
          from next_opening(t6.id) t7
        ) r) as "nextOpening"
      from visitor_centers t6
      where t6.slug = $1::text
    ) r) as "visitorCenter",
    (select r from (
      select
      from visitor_centers t8
      where t8.slug = $1::text
    ) r) as "state",
    (select r from (
      select
      from institutions t9
      where t9.code = $2::text
    ) r) as "institution"
) r;
