-- first road
-- $1 = 'STATE_PRISON'
-- $2 = 2005
-- $3 = 'KVSP'
-- $4 = UUID('a7f646fc-ddc9-518c-bc7b-f672b189d547')
-- $5 = 4
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t6.opened_year,
          t6.code,
          t6.id,
          row_number() over() as ".n"
        from (
          select t5.opened_year,
            t5.code,
            t5.id
          from institutions t5
          where t5.institution_type = $1::text
            and ((t5.opened_year > $2::int4 or (t5.opened_year is null and $2::int4 is not null)) or ((t5.opened_year = $2::int4 or (t5.opened_year is null and $2::int4 is null)) and t5.code < $3::text) or ((t5.opened_year = $2::int4 or (t5.opened_year is null and $2::int4 is null)) and t5.code = $3::text and t5.id < $4::uuid))
          order by t5.opened_year, t5.code desc, t5.id desc
          limit $5::int8 + 1
        ) t6
      )
      select array(select r from (
          select translate(encode(convert_to(json_build_array('2106db', t1.opened_year, t1.code, t1.id)::text, 'UTF8'), 'base64'), chr(10), '') as "cursor",
            (select r from (
              select t1.code as "code",
                t1.opened_year as "openedYear"
            ) r) as "node"
          from p0 t1
          where t1.".n" <= $5::int8
          order by t1.".n"
        ) r) as "edges",
        (select r from (
          select exists (
              select
              from institutions t2
              where t2.institution_type = $1::text
                and ((t2.opened_year < $2::int4 or ($2::int4 is null and t2.opened_year is not null)) or ((t2.opened_year = $2::int4 or (t2.opened_year is null and $2::int4 is null)) and t2.code > $3::text) or ((t2.opened_year = $2::int4 or (t2.opened_year is null and $2::int4 is null)) and t2.code = $3::text and t2.id > $4::uuid) or ((t2.opened_year = $2::int4 or (t2.opened_year is null and $2::int4 is null)) and t2.code = $3::text and t2.id = $4::uuid))
            ) as "hasPreviousPage",
            exists (
              select
              from p0 t3
              where t3.".n" > $5::int8
            ) as "hasNextPage",
            (
              select translate(encode(convert_to(json_build_array('2106db', t4.opened_year, t4.code, t4.id)::text, 'UTF8'), 'base64'), chr(10), '')
              from p0 t4
              where t4.".n" <= $5::int8
              order by t4.".n" desc
              limit 1
            ) as "endCursor"
        ) r) as "pageInfo"
    ) r) as "lastYears",
    (select r from (
      select array(select r from (
          select t7.code as "code",
            t7.opened_year as "openedYear"
          from institutions t7
          where t7.institution_type = $1::text
          order by t7.opened_year desc, t7.code, t7.id
          limit $5::int8
        ) r) as "nodes"
    ) r) as "descending"
) r;
