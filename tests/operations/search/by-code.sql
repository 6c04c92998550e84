-- first road
-- $1 = 'CIM'
-- $2 = None
-- $3 = ['INSTITUTION', 'VISITOR_CENTER']
-- $4 = 'fsp'
-- $5 = 'san quintin state prison'
-- $6 = '(760) 348-2232'
select row_to_json(r)
from (
  select (select r from (
      with h0 as materialized (
        select t9.kind,
          t9.key,
          t9.score,
          t9.distance_miles,
          t9.status,
          t9.categories,
          t9.counties,
          t9.languages,
          t9.title,
          t9.sought,
          t9.concepts,
          t9.spoken,
          t9.complete
        from search($1::text, $2::text, null::text, null::float8, null::float8, null::float8, $3::text[], null::text[], null::text[], null::text[], null::bool) t9
      )
      select array(
          select case t1.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename",
                  t2.code as "code",
                  t2.name as "name"
                from institutions t2
                where t2.id = t1.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename",
                  t3.slug as "slug"
                from visitor_centers t3
                where t3.id = t1.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename"
                from programs t4
                where t4.id = t1.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename"
                from reentry_programs t5
                where t5.id = t1.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename"
                from providers t6
                where t6.id = t1.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename"
                from services t7
                where t7.id = t1.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename"
                from categories t8
                where t8.code = t1.key::text
              ) r)
            end
          from h0 t1
          order by t1.score desc, t1.kind, t1.key
          limit 2
        ) as "nodes"
    ) r) as "code",
    (select r from (
      with h10 as materialized (
        select t19.kind,
          t19.key,
          t19.score,
          t19.distance_miles,
          t19.status,
          t19.categories,
          t19.counties,
          t19.languages,
          t19.title,
          t19.sought,
          t19.concepts,
          t19.spoken,
          t19.complete
        from search($4::text, $2::text, null::text, null::float8, null::float8, null::float8, $3::text[], null::text[], null::text[], null::text[], null::bool) t19
      )
      select array(
          select case t11.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename",
                  t12.code as "code",
                  t12.name as "name"
                from institutions t12
                where t12.id = t11.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename",
                  t13.slug as "slug"
                from visitor_centers t13
                where t13.id = t11.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename"
                from programs t14
                where t14.id = t11.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename"
                from reentry_programs t15
                where t15.id = t11.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename"
                from providers t16
                where t16.id = t11.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename"
                from services t17
                where t17.id = t11.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename"
                from categories t18
                where t18.code = t11.key::text
              ) r)
            end
          from h10 t11
          order by t11.score desc, t11.kind, t11.key
          limit 2
        ) as "nodes"
    ) r) as "alias",
    (select r from (
      with h20 as materialized (
        select t29.kind,
          t29.key,
          t29.score,
          t29.distance_miles,
          t29.status,
          t29.categories,
          t29.counties,
          t29.languages,
          t29.title,
          t29.sought,
          t29.concepts,
          t29.spoken,
          t29.complete
        from search($5::text, $2::text, null::text, null::float8, null::float8, null::float8, $3::text[], null::text[], null::text[], null::text[], null::bool) t29
      )
      select array(
          select case t21.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename",
                  t22.code as "code",
                  t22.name as "name"
                from institutions t22
                where t22.id = t21.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename",
                  t23.slug as "slug"
                from visitor_centers t23
                where t23.id = t21.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename"
                from programs t24
                where t24.id = t21.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename"
                from reentry_programs t25
                where t25.id = t21.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename"
                from providers t26
                where t26.id = t21.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename"
                from services t27
                where t27.id = t21.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename"
                from categories t28
                where t28.code = t21.key::text
              ) r)
            end
          from h20 t21
          order by t21.score desc, t21.kind, t21.key
          limit 2
        ) as "nodes"
    ) r) as "formerName",
    (select r from (
      with h30 as materialized (
        select t39.kind,
          t39.key,
          t39.score,
          t39.distance_miles,
          t39.status,
          t39.categories,
          t39.counties,
          t39.languages,
          t39.title,
          t39.sought,
          t39.concepts,
          t39.spoken,
          t39.complete
        from search($6::text, $2::text, null::text, null::float8, null::float8, null::float8, null::text[], null::text[], null::text[], null::text[], null::bool) t39
      )
      select array(
          select case t31.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename",
                  t32.code as "code",
                  t32.name as "name"
                from institutions t32
                where t32.id = t31.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename",
                  t33.slug as "slug"
                from visitor_centers t33
                where t33.id = t31.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename"
                from programs t34
                where t34.id = t31.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename"
                from reentry_programs t35
                where t35.id = t31.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename"
                from providers t36
                where t36.id = t31.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename"
                from services t37
                where t37.id = t31.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename"
                from categories t38
                where t38.code = t31.key::text
              ) r)
            end
          from h30 t31
          order by t31.score desc, t31.kind, t31.key
          limit 2
        ) as "nodes"
    ) r) as "telephone"
) r;
