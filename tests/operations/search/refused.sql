-- second road
-- $1 = '!food & (drink | <->) \\ % _ :*'
-- $2 = None
-- $3 = ['INSTITUTION']
select row_to_json(r)
from (
  select (select r from (
      with h0 as materialized (
        select t11.kind,
          t11.key,
          t11.score,
          t11.distance_miles,
          t11.status,
          t11.categories,
          t11.counties,
          t11.languages,
          t11.title,
          t11.sought,
          t11.concepts,
          t11.spoken,
          t11.complete
        from search($1::text, $2::text, null::text, null::float8, null::float8, null::float8, $3::text[], null::text[], null::text[], null::text[], null::bool) t11
      )
      select (
          select count(*)
          from h0 t1
        ) as "totalCount",
        coalesce((
          select bool_and(t2.complete)
          from h0 t2
        ), true) as "complete",
        array(
          select case t3.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename",
                  'Institution' as ".type"
                from institutions t4
                where t4.id = t3.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename",
                  'VisitorCenter' as ".type"
                from visitor_centers t5
                where t5.id = t3.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename",
                  'Program' as ".type"
                from programs t6
                where t6.id = t3.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename",
                  'ReentryProgram' as ".type"
                from reentry_programs t7
                where t7.id = t3.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename",
                  'Provider' as ".type"
                from providers t8
                where t8.id = t3.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename",
                  'Service' as ".type"
                from services t9
                where t9.id = t3.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename",
                  'Category' as ".type"
                from categories t10
                where t10.code = t3.key::text
              ) r)
            end
          from h0 t3
          order by t3.score desc, t3.kind, t3.key
          limit 20
        ) as "nodes"
    ) r) as "nothing"
) r;
