-- first road
-- $1 = 'SQ'
-- $2 = UUID('8a811c7b-5d93-5bbe-bdd3-68153f9d8af6')
-- $3 = 3
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t8.code,
          t8.id,
          t8.name,
          row_number() over() as ".n"
        from (
          select t7.code,
            t7.id,
            t7.name
          from institutions t7
          where (t7.code, t7.id) < ($1::text, $2::uuid)
          order by t7.code desc, t7.id desc
          limit $3::int8 + 1
        ) t8
      )
      select (select r from (
          select exists (
              select
              from institutions t1
              where (t1.code, t1.id) >= ($1::text, $2::uuid)
            ) as "hasNextPage",
            exists (
              select
              from p0 t2
              where t2.".n" > $3::int8
            ) as "hasPreviousPage",
            (
              select translate(encode(convert_to(json_build_array('5e4a38', t3.code, t3.id)::text, 'UTF8'), 'base64'), chr(10), '')
              from p0 t3
              where t3.".n" <= $3::int8
              order by t3.".n" desc
              limit 1
            ) as "startCursor",
            (
              select translate(encode(convert_to(json_build_array('5e4a38', t4.code, t4.id)::text, 'UTF8'), 'base64'), chr(10), '')
              from p0 t4
              where t4.".n" <= $3::int8
              order by t4.".n"
              limit 1
            ) as "endCursor"
        ) r) as "pageInfo",
        array(select r from (
          select translate(encode(convert_to(json_build_array('5e4a38', t5.code, t5.id)::text, 'UTF8'), 'base64'), chr(10), '') as "cursor",
            (select r from (
              select t5.code as "code"
            ) r) as "node"
          from p0 t5
          where t5.".n" <= $3::int8
          order by t5.".n" desc
        ) r) as "edges",
        array(select r from (
          select t6.name as "name"
          from p0 t6
          where t6.".n" <= $3::int8
          order by t6.".n" desc
        ) r) as "nodes"
    ) r) as "institutions"
) r;
