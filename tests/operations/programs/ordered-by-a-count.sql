-- first road
-- $1 = 31
-- $2 = 'Visitor Center Program'
-- $3 = UUID('ac5b1a4b-b018-556d-979a-1747bfb4da0d')
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t9.id,
          t9.name,
          t9.slug,
          row_number() over() as ".n"
        from (
          select t8.id,
            t8.name,
            t8.slug
          from programs t8
          where (((
            select count(*)
            from program_offerings t10
            where t10.program_id = t8.id
          ) < $1::int8) or ((
            select count(*)
            from program_offerings t11
            where t11.program_id = t8.id
          ) = $1::int8 and t8.name > $2::text) or ((
            select count(*)
            from program_offerings t12
            where t12.program_id = t8.id
          ) = $1::int8 and t8.name = $2::text and t8.id > $3::uuid))
          order by (
            select count(*)
            from program_offerings t13
            where t13.program_id = t8.id
          ) desc, t8.name, t8.id
          limit 5
        ) t9
      )
      select array(select r from (
          select translate(encode(convert_to(json_build_array('722b52', (
              select count(*)
              from program_offerings t2
              where t2.program_id = t1.id
            ), t1.name, t1.id)::text, 'UTF8'), 'base64'), chr(10), '') as "cursor",
            (select r from (
              select t1.slug as "slug",
                (select r from (
                  select (
                      select count(*)
                      from program_offerings t3
                      where t3.program_id = t1.id
                    ) as "totalCount"
                ) r) as "offerings"
            ) r) as "node"
          from p0 t1
          where t1.".n" <= 4
          order by t1.".n"
        ) r) as "edges",
        (select r from (
          select exists (
              select
              from p0 t4
              where t4.".n" > 4
            ) as "hasNextPage",
            (
              select translate(encode(convert_to(json_build_array('722b52', (
                  select count(*)
                  from program_offerings t7
                  where t7.program_id = t5.id
                ), t5.name, t5.id)::text, 'UTF8'), 'base64'), chr(10), '')
              from p0 t5
              where t5.".n" = (
                select max(t6.".n")
                from p0 t6
                where t6.".n" <= 4
              )
            ) as "endCursor"
        ) r) as "pageInfo"
    ) r) as "programs"
) r;
