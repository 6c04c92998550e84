-- first road
-- $1 = 'sober livng'
-- $2 = 'ES'
-- $3 = 34.4208
-- $4 = -119.6982
-- $5 = ['SERVICE', 'PROGRAM']
select row_to_json(r)
from (
  select (select r from (
      with h0 as materialized (
        select t31.kind,
          t31.key,
          t31.score,
          t31.distance_miles,
          t31.status,
          t31.categories,
          t31.counties,
          t31.languages,
          t31.title,
          t31.sought,
          t31.concepts,
          t31.spoken,
          t31.complete
        from search($1::text, $2::text, null::text, $3::float8, $4::float8, null::float8, $5::text[], null::text[], null::text[], null::text[], null::bool) t31
      )
      , p1 as materialized (
        select t30.score,
          t30.distance_miles,
          t30.title,
          t30.sought,
          t30.concepts,
          t30.kind,
          t30.key,
          t30.spoken,
          row_number() over() as ".n"
        from (
          select t29.score,
            t29.distance_miles,
            t29.title,
            t29.sought,
            t29.concepts,
            t29.kind,
            t29.key,
            t29.spoken
          from h0 t29
          order by t29.score desc, t29.kind, t29.key
          limit 6
        ) t30
      )
      select (
          select count(*)
          from h0 t2
        ) as "totalCount",
        coalesce((
          select bool_and(t3.complete)
          from h0 t3
        ), true) as "complete",
        (select r from (
          select array(select r from (
              select t5.value as "code",
                (select r from (
                  select coalesce(t7.label_es, t7.label_en) as "label"
                  from categories t7
                  where t7.code = t5.value
                ) r) as "category",
                t5.count as "count"
              from (
                select t6.value as "value",
                  count(*) as "count"
                from h0 t4
                join unnest(t4.categories) t6(value) on true
                where t6.value is not null
                group by 1
              ) t5
              order by t5.count desc, t5.value
              limit 100
            ) r) as "categories",
            array(select r from (
              select t9.value as "fips",
                (select r from (
                  select t11.name as "name"
                  from counties t11
                  where t11.fips = t9.value
                ) r) as "county",
                t9.count as "count"
              from (
                select t10.value as "value",
                  count(*) as "count"
                from h0 t8
                join unnest(t8.counties) t10(value) on true
                where t10.value is not null
                group by 1
              ) t9
              order by t9.count desc, t9.value
              limit 100
            ) r) as "counties",
            array(select r from (
              select t13.value as "code",
                t13.count as "count"
              from (
                select t14.value as "value",
                  count(*) as "count"
                from h0 t12
                join unnest(t12.languages) t14(value) on true
                where t14.value is not null
                group by 1
              ) t13
              order by t13.count desc, t13.value
              limit 100
            ) r) as "languages",
            array(select r from (
              select t16.value as "type",
                t16.count as "count"
              from (
                select t15.kind as "value",
                  count(*) as "count"
                from h0 t15
                where t15.kind is not null
                group by 1
              ) t16
              order by t16.count desc, t16.value
              limit 100
            ) r) as "types"
        ) r) as "facets",
        array(select r from (
          select t17.score as "score",
            t17.distance_miles as "distanceMiles",
            search_marked(t17.title, t17.sought, t17.concepts) as "titleHtml",
            search_snippet(t17.kind, t17.key, t17.sought, t17.concepts, t17.spoken) as "snippetHtml",
            case t17.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename"
                from institutions t18
                where t18.id = t17.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename"
                from visitor_centers t19
                where t19.id = t17.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename",
                  t20.name as "name"
                from programs t20
                where t20.id = t17.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename"
                from reentry_programs t21
                where t21.id = t17.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename"
                from providers t22
                where t22.id = t17.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename",
                  t23.name as "name",
                  (select r from (
                    select t24.name as "name"
                    from providers t24
                    where t24.id = t23.provider_id
                  ) r) as "provider"
                from services t23
                where t23.id = t17.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename"
                from categories t25
                where t25.code = t17.key::text
              ) r)
            end as "node"
          from p1 t17
          where t17.".n" <= 5
          order by t17.".n"
        ) r) as "edges",
        (select r from (
          select exists (
              select
              from p1 t26
              where t26.".n" > 5
            ) as "hasNextPage",
            (
              select translate(encode(convert_to(json_build_array('8ff38e', t27.score, t27.kind, t27.key)::text, 'UTF8'), 'base64'), chr(10), '')
              from p1 t27
              where t27.".n" = (
                select max(t28.".n")
                from p1 t28
                where t28.".n" <= 5
              )
            ) as "endCursor"
        ) r) as "pageInfo"
    ) r) as "search"
) r;
