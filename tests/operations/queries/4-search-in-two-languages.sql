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
        select t32.kind,
          t32.key,
          t32.score,
          t32.distance_miles,
          t32.status,
          t32.categories,
          t32.counties,
          t32.languages,
          t32.title,
          t32.sought,
          t32.concepts,
          t32.spoken,
          t32.complete
        from search($1::text, $2::text, null::text, $3::float8, $4::float8, null::float8, $5::text[], null::text[], null::text[], null::text[], null::bool) t32
      )
      , p1 as materialized (
        select t31.score,
          t31.distance_miles,
          t31.title,
          t31.sought,
          t31.concepts,
          t31.kind,
          t31.key,
          t31.spoken,
          row_number() over() as ".n"
        from (
          select t30.score,
            t30.distance_miles,
            t30.title,
            t30.sought,
            t30.concepts,
            t30.kind,
            t30.key,
            t30.spoken
          from h0 t30
          order by t30.score desc, t30.kind, t30.key
          limit 6
        ) t31
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
                  select coalesce(t7.label_es, (
                      select t8.text
                      from translations t8
                      where t8.category_code = t7.code
                        and t8.field = 'label'
                        and t8.original = t7.label_en
                        and t8.language = 'ES'
                    ), t7.label_en) as "label"
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
              select t10.value as "fips",
                (select r from (
                  select t12.name as "name"
                  from counties t12
                  where t12.fips = t10.value
                ) r) as "county",
                t10.count as "count"
              from (
                select t11.value as "value",
                  count(*) as "count"
                from h0 t9
                join unnest(t9.counties) t11(value) on true
                where t11.value is not null
                group by 1
              ) t10
              order by t10.count desc, t10.value
              limit 100
            ) r) as "counties",
            array(select r from (
              select t14.value as "code",
                t14.count as "count"
              from (
                select t15.value as "value",
                  count(*) as "count"
                from h0 t13
                join unnest(t13.languages) t15(value) on true
                where t15.value is not null
                group by 1
              ) t14
              order by t14.count desc, t14.value
              limit 100
            ) r) as "languages",
            array(select r from (
              select t17.value as "type",
                t17.count as "count"
              from (
                select t16.kind as "value",
                  count(*) as "count"
                from h0 t16
                where t16.kind is not null
                group by 1
              ) t17
              order by t17.count desc, t17.value
              limit 100
            ) r) as "types"
        ) r) as "facets",
        array(select r from (
          select t18.score as "score",
            t18.distance_miles as "distanceMiles",
            search_marked(t18.title, t18.sought, t18.concepts) as "titleHtml",
            search_snippet(t18.kind, t18.key, t18.sought, t18.concepts, t18.spoken) as "snippetHtml",
            case t18.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename"
                from institutions t19
                where t19.id = t18.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename"
                from visitor_centers t20
                where t20.id = t18.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename",
                  t21.name as "name"
                from programs t21
                where t21.id = t18.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename"
                from reentry_programs t22
                where t22.id = t18.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename"
                from providers t23
                where t23.id = t18.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename",
                  t24.name as "name",
                  (select r from (
                    select t25.name as "name"
                    from providers t25
                    where t25.id = t24.provider_id
                  ) r) as "provider"
                from services t24
                where t24.id = t18.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename"
                from categories t26
                where t26.code = t18.key::text
              ) r)
            end as "node"
          from p1 t18
          where t18.".n" <= 5
          order by t18.".n"
        ) r) as "edges",
        (select r from (
          select exists (
              select
              from p1 t27
              where t27.".n" > 5
            ) as "hasNextPage",
            (
              select translate(encode(convert_to(json_build_array('8ff38e', t28.score, t28.kind, t28.key)::text, 'UTF8'), 'base64'), chr(10), '')
              from p1 t28
              where t28.".n" = (
                select max(t29.".n")
                from p1 t29
                where t29.".n" <= 5
              )
            ) as "endCursor"
        ) r) as "pageInfo"
    ) r) as "search"
) r;
