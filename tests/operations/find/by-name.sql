-- first road
-- $1 = '%quentin%'
-- $2 = 20
-- $3 = '%zzzzzz%'
select row_to_json(r)
from (
  select array(
      select case t5.kind
          when 'Institution' then (select row_to_json(r) from (
            select 'Institution' as "__typename",
              'Institution:' || t6.id::text as "id",
              t6.code as "code",
              t6.name as "name"
            from institutions t6
            where t6.id = t5.key::uuid
          ) r)
          when 'VisitorCenter' then (select row_to_json(r) from (
            select 'VisitorCenter' as "__typename",
              'VisitorCenter:' || t7.id::text as "id",
              t7.name as "name",
              (select r from (
                select t8.code as "code"
                from institutions t8
                where t8.id = t7.institution_id
              ) r) as "institution"
            from visitor_centers t7
            where t7.id = t5.key::uuid
          ) r)
          when 'Program' then (select row_to_json(r) from (
            select 'Program' as "__typename",
              'Program:' || t9.id::text as "id",
              t9.slug as "slug"
            from programs t9
            where t9.id = t5.key::uuid
          ) r)
          when 'Provider' then (select row_to_json(r) from (
            select 'Provider' as "__typename",
              'Provider:' || t10.id::text as "id",
              t10.slug as "slug"
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
    ) as "find",
    array(
      select case t16.kind
          when 'Institution' then (select row_to_json(r) from (
            select 'Institution' as "__typename"
            from institutions t17
            where t17.id = t16.key::uuid
          ) r)
          when 'VisitorCenter' then (select row_to_json(r) from (
            select 'VisitorCenter' as "__typename"
            from visitor_centers t18
            where t18.id = t16.key::uuid
          ) r)
          when 'Program' then (select row_to_json(r) from (
            select 'Program' as "__typename"
            from programs t19
            where t19.id = t16.key::uuid
          ) r)
          when 'Provider' then (select row_to_json(r) from (
            select 'Provider' as "__typename"
            from providers t20
            where t20.id = t16.key::uuid
          ) r)
        end
      from (
        (
          select 'Institution' as "kind",
            t11.id::text as "key",
            t11.name as "name"
          from institutions t11
          where t11.name ilike $3::text
          order by t11.name, t11.id
          limit $2::int8
        )
        union all
        (
          select 'VisitorCenter' as "kind",
            t12.id::text as "key",
            t12.name as "name"
          from visitor_centers t12
          where t12.name ilike $3::text
          order by t12.name, t12.id
          limit $2::int8
        )
        union all
        (
          select 'Program' as "kind",
            t13.id::text as "key",
            t13.name as "name"
          from programs t13
          where (t13.name ilike $3::text or exists (
            select
            from translations t14
            where t14.program_id = t13.id
              and t14.field = 'name'
              and t14.original = t13.name
              and t14.text ilike $3::text
          ))
          order by t13.name, t13.id
          limit $2::int8
        )
        union all
        (
          select 'Provider' as "kind",
            t15.id::text as "key",
            t15.name as "name"
          from providers t15
          where t15.name ilike $3::text
          order by t15.name, t15.id
          limit $2::int8
        )
      ) t16
      order by t16.name, t16.kind, t16.key
      limit $2::int8
    ) as "nothing"
) r;
