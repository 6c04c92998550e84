-- second road
-- $1 = 'isudt'
-- $2 = ['INCARCERATED']
-- $3 = 30
select row_to_json(r)
from (
  select (select r from (
      select
      from programs t0
      where t0.slug = $1::text
    ) r) as "record",
    (select r from (
      select
      from programs t1
      where t1.slug = $1::text
    ) r) as "release",
    (select r from (
      select (select r from (
          select t3.verdict as "verdict"
          from program_match(t2.id, $2::text[], null::text[], null::bool, null::text[], null::text, $3::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) t3
        ) r) as "matches",
        program_fits(t2.audience, t2.scope, $2::text[], null::text[], null::bool, null::text[], null::text, null::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) as "fits",
        program_may_fit(t2.audience, t2.scope, $2::text[], null::text[], null::bool, null::text[], null::text, $3::int4, null::int4, null::text[], null::text[], null::text[], null::bool, null::text, null::text[]) as "mayFit"
      from programs t2
      where t2.slug = $1::text
    ) r) as "good"
) r;
