-- first road
-- $1 = '%autobús%'
-- $2 = 20
select row_to_json(r)
from (
  select array(
      select case t5.kind
          when 'Institution' then (select row_to_json(r) from (
            select 'Institution' as "__typename"
            from institutions t6
            where t6.id = t5.key::uuid
          ) r)
          when 'VisitorCenter' then (select row_to_json(r) from (
            select 'VisitorCenter' as "__typename"
            from visitor_centers t7
            where t7.id = t5.key::uuid
          ) r)
          when 'Program' then (select row_to_json(r) from (
            select 'Program' as "__typename",
              t8.slug as "slug",
              coalesce((
                select t9.text
                from translations t9
                where t9.program_id = t8.id
                  and t9.field = 'name'
                  and t9.original = t8.name
                  and t9.language = 'ES'
              ), t8.name) as "name"
            from programs t8
            where t8.id = t5.key::uuid
          ) r)
          when 'Provider' then (select row_to_json(r) from (
            select 'Provider' as "__typename"
            from providers t10
            where t10.id = t5.key::uuid
          ) r)
        end
      from (
        (
          select 'Institution' as "kind",
            t0.id::text as "key",
            t0.name as "name"
          from institutions t0
          where t0.name ilike $1::text
          order by t0.name, t0.id
          limit $2::int8
        )
        union all
        (
          select 'VisitorCenter' as "kind",
            t1.id::text as "key",
            t1.name as "name"
          from visitor_centers t1
          where t1.name ilike $1::text
          order by t1.name, t1.id
          limit $2::int8
        )
        union all
        (
          select 'Program' as "kind",
            t2.id::text as "key",
            t2.name as "name"
          from programs t2
          where (t2.name ilike $1::text or exists (
            select
            from translations t3
            where t3.program_id = t2.id
              and t3.field = 'name'
              and t3.original = t2.name
              and t3.text ilike $1::text
          ))
          order by t2.name, t2.id
          limit $2::int8
        )
        union all
        (
          select 'Provider' as "kind",
            t4.id::text as "key",
            t4.name as "name"
          from providers t4
          where t4.name ilike $1::text
          order by t4.name, t4.id
          limit $2::int8
        )
      ) t5
      order by t5.name, t5.kind, t5.key
      limit $2::int8
    ) as "find"
) r;
