-- first road
-- $1 = 'substance use treatment'
-- $2 = None
-- $3 = '93721'
-- $4 = 30.0
-- $5 = ['SERVICE']
-- $6 = ['SUBSTANCE_USE']
-- $7 = False
select row_to_json(r)
from (
  select (select r from (
      with h0 as materialized (
        select t16.kind,
          t16.key,
          t16.score,
          t16.distance_miles,
          t16.status,
          t16.categories,
          t16.counties,
          t16.languages,
          t16.title,
          t16.sought,
          t16.concepts,
          t16.spoken,
          t16.complete
        from search($1::text, $2::text, $3::text, null::float8, null::float8, $4::float8, $5::text[], null::text[], $6::text[], null::text[], $7::bool) t16
      )
      , p1 as materialized (
        select t15.score,
          t15.distance_miles,
          t15.status,
          t15.counties,
          t15.languages,
          t15.kind,
          t15.key,
          row_number() over() as ".n"
        from (
          select t14.score,
            t14.distance_miles,
            t14.status,
            t14.counties,
            t14.languages,
            t14.kind,
            t14.key
          from h0 t14
          order by t14.score desc, t14.kind, t14.key
          limit 4
        ) t15
      )
      select (
          select count(*)
          from h0 t2
        ) as "totalCount",
        array(select r from (
          select t3.score as "score",
            t3.distance_miles as "distanceMiles",
            t3.status as "status",
            t3.counties as "counties",
            t3.languages as "languages",
            case t3.kind
              when 'INSTITUTION' then (select row_to_json(r) from (
                select
                from institutions t4
                where t4.id = t3.key::uuid
              ) r)
              when 'VISITOR_CENTER' then (select row_to_json(r) from (
                select
                from visitor_centers t5
                where t5.id = t3.key::uuid
              ) r)
              when 'PROGRAM' then (select row_to_json(r) from (
                select
                from programs t6
                where t6.id = t3.key::uuid
              ) r)
              when 'REENTRY_PROGRAM' then (select row_to_json(r) from (
                select
                from reentry_programs t7
                where t7.id = t3.key::uuid
              ) r)
              when 'PROVIDER' then (select row_to_json(r) from (
                select
                from providers t8
                where t8.id = t3.key::uuid
              ) r)
              when 'SERVICE' then (select row_to_json(r) from (
                select (select r from (
                    select t10.name as "name",
                      (select r from (
                        select t11.public_city as "city"
                        from locations t11
                        where t11.id = t10.location_id
                      ) r) as "location"
                    from providers t10
                    where t10.id = t9.provider_id
                  ) r) as "provider"
                from services t9
                where t9.id = t3.key::uuid
              ) r)
              when 'CATEGORY' then (select row_to_json(r) from (
                select
                from categories t12
                where t12.code = t3.key::text
              ) r)
            end as "node"
          from p1 t3
          where t3.".n" <= 3
          order by t3.".n"
        ) r) as "edges",
        (select r from (
          select exists (
              select
              from p1 t13
              where t13.".n" > 3
            ) as "hasNextPage"
        ) r) as "pageInfo"
    ) r) as "search"
) r;
