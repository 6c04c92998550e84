-- first road
-- $1 = '%quentin%'
-- $2 = 20
-- $3 = '%zzzzzz%'
select row_to_json(r)
from (
  select array(
      select case t4.kind
          when 'Institution' then (select row_to_json(r) from (
            select 'Institution' as "__typename",
              'Institution:' || t5.id::text as "id",
              t5.code as "code",
              t5.name as "name"
            from institutions t5
            where t5.id = t4.key::uuid
          ) r)
          when 'VisitorCenter' then (select row_to_json(r) from (
            select 'VisitorCenter' as "__typename",
              'VisitorCenter:' || t6.id::text as "id",
              t6.name as "name",
              (select r from (
                select t7.code as "code"
                from institutions t7
                where t7.id = t6.institution_id
              ) r) as "institution"
            from visitor_centers t6
            where t6.id = t4.key::uuid
          ) r)
          when 'Program' then (select row_to_json(r) from (
            select 'Program' as "__typename",
              'Program:' || t8.id::text as "id",
              t8.slug as "slug"
            from programs t8
            where t8.id = t4.key::uuid
          ) r)
          when 'Provider' then (select row_to_json(r) from (
            select 'Provider' as "__typename",
              'Provider:' || t9.id::text as "id",
              t9.slug as "slug"
            from providers t9
            where t9.id = t4.key::uuid
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
          where t2.name ilike $1::text
          order by t2.name, t2.id
          limit $2::int8
        )
        union all
        (
          select 'Provider' as "kind",
            t3.id::text as "key",
            t3.name as "name"
          from providers t3
          where t3.name ilike $1::text
          order by t3.name, t3.id
          limit $2::int8
        )
      ) t4
      order by t4.name, t4.kind, t4.key
      limit $2::int8
    ) as "find",
    array(
      select case t14.kind
          when 'Institution' then (select row_to_json(r) from (
            select 'Institution' as "__typename"
            from institutions t15
            where t15.id = t14.key::uuid
          ) r)
          when 'VisitorCenter' then (select row_to_json(r) from (
            select 'VisitorCenter' as "__typename"
            from visitor_centers t16
            where t16.id = t14.key::uuid
          ) r)
          when 'Program' then (select row_to_json(r) from (
            select 'Program' as "__typename"
            from programs t17
            where t17.id = t14.key::uuid
          ) r)
          when 'Provider' then (select row_to_json(r) from (
            select 'Provider' as "__typename"
            from providers t18
            where t18.id = t14.key::uuid
          ) r)
        end
      from (
        (
          select 'Institution' as "kind",
            t10.id::text as "key",
            t10.name as "name"
          from institutions t10
          where t10.name ilike $3::text
          order by t10.name, t10.id
          limit $2::int8
        )
        union all
        (
          select 'VisitorCenter' as "kind",
            t11.id::text as "key",
            t11.name as "name"
          from visitor_centers t11
          where t11.name ilike $3::text
          order by t11.name, t11.id
          limit $2::int8
        )
        union all
        (
          select 'Program' as "kind",
            t12.id::text as "key",
            t12.name as "name"
          from programs t12
          where t12.name ilike $3::text
          order by t12.name, t12.id
          limit $2::int8
        )
        union all
        (
          select 'Provider' as "kind",
            t13.id::text as "key",
            t13.name as "name"
          from providers t13
          where t13.name ilike $3::text
          order by t13.name, t13.id
          limit $2::int8
        )
      ) t14
      order by t14.name, t14.kind, t14.key
      limit $2::int8
    ) as "nothing"
) r;
