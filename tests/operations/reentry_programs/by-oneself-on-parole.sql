-- first road
-- $1 = ['PAROLE']
-- $2 = ['INCARCERATED']
-- $3 = ['SELF']
select row_to_json(r)
from (
  select (select r from (
      select array(select r from (
          select t0.slug as "slug",
            t0.audience as "audience",
            t0.referral_routes as "referralRoutes",
            (select r from (
              select t1.verdict as "verdict",
                array(select r from (
                  select t2.criterion as "criterion",
                    t2.verdict as "verdict",
                    t2.text_en as "text"
                  from each_reason(t1.reasons) t2
                  order by t2.place
                  limit 100
                ) r) as "reasons"
              from reentry_program_match(t0.id, $1::text[], $2::text[], null::bool, null::text[], null::text, null::int4, null::int4, $3::text[], null::text[], null::text[], null::bool, null::text, null::text[]) t1
            ) r) as "matches"
          from reentry_programs t0
          where reentry_program_fits(t0.id, t0.audience, t0.gender, t0.entry_from_days, t0.entry_to_days, t0.referral_routes, t0.statewide, t0.conditions, $1::text[], $2::text[], null::bool, null::text[], null::text, null::int4, null::int4, $3::text[], null::text[], null::text[], null::bool, null::text, null::text[])
          order by t0.name, t0.id
          limit 20
        ) r) as "nodes"
    ) r) as "fits",
    (select r from (
      select array(select r from (
          select t3.slug as "slug",
            t3.eligibility as "eligibility",
            (select r from (
              select t4.verdict as "verdict",
                array(select r from (
                  select t5.criterion as "criterion",
                    t5.verdict as "verdict",
                    t5.text_en as "text"
                  from each_reason(t4.reasons) t5
                  order by t5.place
                  limit 100
                ) r) as "reasons"
              from reentry_program_match(t3.id, $1::text[], $2::text[], null::bool, null::text[], null::text, null::int4, null::int4, $3::text[], null::text[], null::text[], null::bool, null::text, null::text[]) t4
            ) r) as "matches"
          from reentry_programs t3
          where reentry_program_fits(t3.id, t3.audience, t3.gender, t3.entry_from_days, t3.entry_to_days, t3.referral_routes, t3.statewide, t3.conditions, $1::text[], $2::text[], null::bool, null::text[], null::text, null::int4, null::int4, $3::text[], null::text[], null::text[], null::bool, null::text, null::text[]) is not true
            and reentry_program_may_fit(t3.id, t3.audience, t3.gender, t3.entry_from_days, t3.entry_to_days, t3.referral_routes, t3.statewide, t3.conditions, $1::text[], $2::text[], null::bool, null::text[], null::text, null::int4, null::int4, $3::text[], null::text[], null::text[], null::bool, null::text, null::text[])
          order by t3.name, t3.id
          limit 20
        ) r) as "nodes"
    ) r) as "mayFit",
    (select r from (
      select array(select r from (
          select t6.slug as "slug",
            (select r from (
              select t7.verdict as "verdict",
                array(select r from (
                  select t8.criterion as "criterion",
                    t8.verdict as "verdict",
                    t8.text_en as "text"
                  from each_reason(t7.reasons) t8
                  order by t8.place
                  limit 100
                ) r) as "reasons"
              from reentry_program_match(t6.id, $1::text[], $2::text[], null::bool, null::text[], null::text, null::int4, null::int4, $3::text[], null::text[], null::text[], null::bool, null::text, null::text[]) t7
            ) r) as "matches"
          from reentry_programs t6
          where reentry_program_may_fit(t6.id, t6.audience, t6.gender, t6.entry_from_days, t6.entry_to_days, t6.referral_routes, t6.statewide, t6.conditions, $1::text[], $2::text[], null::bool, null::text[], null::text, null::int4, null::int4, $3::text[], null::text[], null::text[], null::bool, null::text, null::text[]) is not true
          order by t6.name, t6.id
          limit 20
        ) r) as "nodes"
    ) r) as "doNotFit"
) r;
