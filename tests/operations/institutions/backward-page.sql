-- first road
-- $1 = 'SQ'
-- $2 = UUID('8a811c7b-5d93-5bbe-bdd3-68153f9d8af6')
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t10.code,
          t10.id,
          t10.name,
          row_number() over() as ".n"
        from (
          select t9.code,
            t9.id,
            t9.name
          from institutions t9
          where (t9.code, t9.id) < ($1::text, $2::uuid)
          order by t9.code desc, t9.id desc
          limit 4
        ) t10
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
              where t2.".n" > 3
            ) as "hasPreviousPage",
            (
              select translate(encode(convert_to(json_build_array('5e4a38', t3.code, t3.id)::text, 'UTF8'), 'base64'), chr(10), '')
              from p0 t3
              where t3.".n" = (
                select max(t4.".n")
                from p0 t4
                where t4.".n" <= 3
              )
            ) as "startCursor",
            (
              select translate(encode(convert_to(json_build_array('5e4a38', t5.code, t5.id)::text, 'UTF8'), 'base64'), chr(10), '')
              from p0 t5
              where t5.".n" = (
                select min(t6.".n")
                from p0 t6
                where t6.".n" <= 3
              )
            ) as "endCursor"
        ) r) as "pageInfo",
        array(select r from (
          select translate(encode(convert_to(json_build_array('5e4a38', t7.code, t7.id)::text, 'UTF8'), 'base64'), chr(10), '') as "cursor",
            (select r from (
              select t7.code as "code"
            ) r) as "node"
          from p0 t7
          where t7.".n" <= 3
          order by t7.".n" desc
        ) r) as "edges",
        array(select r from (
          select t8.name as "name"
          from p0 t8
          where t8.".n" <= 3
          order by t8.".n" desc
        ) r) as "nodes"
    ) r) as "institutions"
) r;
