-- first road
-- $1 = 'STATE_PRISON'
-- $2 = 2005
-- $3 = 'KVSP'
-- $4 = UUID('a7f646fc-ddc9-518c-bc7b-f672b189d547')
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t7.opened_year,
          t7.code,
          t7.id,
          row_number() over() as ".n"
        from (
          select t6.opened_year,
            t6.code,
            t6.id
          from institutions t6
          where t6.institution_type = $1::text
            and ((t6.opened_year > $2::int4 or (t6.opened_year is null and $2::int4 is not null)) or ((t6.opened_year = $2::int4 or (t6.opened_year is null and $2::int4 is null)) and t6.code < $3::text) or ((t6.opened_year = $2::int4 or (t6.opened_year is null and $2::int4 is null)) and t6.code = $3::text and t6.id < $4::uuid))
          order by t6.opened_year, t6.code desc, t6.id desc
          limit 5
        ) t7
      )
      select array(select r from (
          select translate(encode(convert_to(json_build_array('2106db', t1.opened_year, t1.code, t1.id)::text, 'UTF8'), 'base64'), chr(10), '') as "cursor",
            (select r from (
              select t1.code as "code",
                t1.opened_year as "openedYear"
            ) r) as "node"
          from p0 t1
          where t1.".n" <= 4
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
              where t3.".n" > 4
            ) as "hasNextPage",
            (
              select translate(encode(convert_to(json_build_array('2106db', t4.opened_year, t4.code, t4.id)::text, 'UTF8'), 'base64'), chr(10), '')
              from p0 t4
              where t4.".n" = (
                select max(t5.".n")
                from p0 t5
                where t5.".n" <= 4
              )
            ) as "endCursor"
        ) r) as "pageInfo"
    ) r) as "lastYears",
    (select r from (
      select array(select r from (
          select t8.code as "code",
            t8.opened_year as "openedYear"
          from institutions t8
          where t8.institution_type = $1::text
          order by t8.opened_year desc, t8.code, t8.id
          limit 4
        ) r) as "nodes"
    ) r) as "descending"
) r;
