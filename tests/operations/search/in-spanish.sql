-- first road
-- $1 = 'casa para salir libre'
-- $2 = 'ES'
select row_to_json(r)
from (
  select (select r from (
      with h0 as materialized (
        select t12.kind,
          t12.key,
          t12.score,
          t12.distance_miles,
          t12.status,
          t12.categories,
          t12.counties,
          t12.languages,
          t12.title,
          t12.sought,
          t12.concepts,
          t12.spoken,
          t12.complete
        from search($1::text, $2::text, null::text, null::float8, null::float8, null::float8, null::text[], null::text[], null::text[], null::text[], null::bool) t12
      )
      select (
          select count(*)
          from h0 t1
        ) as "totalCount",
        array(select r from (
          select search_marked(t2.title, t2.sought, t2.concepts) as "titleHtml",
            search_snippet(t2.kind, t2.key, t2.sought, t2.concepts, t2.spoken) as "snippetHtml",
            case t2.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select 'Institution' as "__typename"
                from institutions t3
                where t3.id = t2.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select 'VisitorCenter' as "__typename"
                from visitor_centers t4
                where t4.id = t2.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select 'Program' as "__typename"
                from programs t5
                where t5.id = t2.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select 'ReentryProgram' as "__typename",
                  t6.slug as "slug"
                from reentry_programs t6
                where t6.id = t2.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select 'Provider' as "__typename"
                from providers t7
                where t7.id = t2.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select 'Service' as "__typename",
                  (select r from (
                    select t9.slug as "slug"
                    from providers t9
                    where t9.id = t8.provider_id
                  ) r) as "provider"
                from services t8
                where t8.id = t2.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select 'Category' as "__typename",
                  t10.code as "code",
                  coalesce(t10.label_es, (
                    select t11.text
                    from translations t11
                    where t11.category_code = t10.code
                      and t11.field = 'label'
                      and t11.original = t10.label_en
                      and t11.language = 'ES'
                  ), t10.label_en) as "label"
                from categories t10
                where t10.code = t2.key::text
              ) r)
            end as "node"
          from h0 t2
          order by t2.score desc, t2.kind, t2.key
          limit 8
        ) r) as "edges"
    ) r) as "search"
) r;
