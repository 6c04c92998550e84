-- second road
-- $1 = 0.85
-- $2 = 'PENDING'
select row_to_json(r)
from (
  select (select r from (
      with p0 as materialized (
        select t13.score,
          t13.id,
          t13.reasons,
          t13.decision,
          t13.left_id,
          t13.right_id,
          row_number() over() as ".n"
        from (
          select t12.score,
            t12.id,
            t12.reasons,
            t12.decision,
            t12.left_id,
            t12.right_id
          from duplicate_candidates t12
          where t12.score >= $1::float8
            and t12.decision = $2::text
          order by t12.score desc, t12.id desc
          limit 4
        ) t13
      )
      select (
          select count(*)
          from duplicate_candidates t1
          where t1.score >= $1::float8
            and t1.decision = $2::text
        ) as "totalCount",
        array(select r from (
          select translate(encode(convert_to(json_build_array('9a4b52', t2.score, t2.id)::text, 'UTF8'), 'base64'), chr(10), '') as "cursor",
            (select r from (
              select t2.score as "score",
                t2.reasons as "reasons",
                t2.decision as "decision",
                (select r from (
                  select t3.name as "name",
                    t3.site_name as "siteName",
                    (select r from (
                      select t4.public_street as "street",
                        t4.public_unit as "unit",
                        t4.public_city as "city"
                      from locations t4
                      where t4.id = t3.location_id
                    ) r) as "location",
                    array(select r from (
                      select t5.number as ".number",
                        t5.extension as ".extension"
                      from phones t5
                      where t5.provider_id = t3.id
                      order by t5.number, t5.id
                      limit 100
                    ) r) as "phones",
                    (select r from (
                      select (select r from (
                          select t6.key as "key"
                          from sources t6
                          where t6.id = t3.source_id
                        ) r) as "source",
                        t3.source_record_id as "sourceRecordId"
                    ) r) as "provenance"
                  from providers t3
                  where t3.id = t2.left_id
                ) r) as "left",
                (select r from (
                  select t7.name as "name",
                    t7.site_name as "siteName",
                    (select r from (
                      select t8.public_street as "street",
                        t8.public_unit as "unit",
                        t8.public_city as "city"
                      from locations t8
                      where t8.id = t7.location_id
                    ) r) as "location",
                    array(select r from (
                      select t9.number as ".number",
                        t9.extension as ".extension"
                      from phones t9
                      where t9.provider_id = t7.id
                      order by t9.number, t9.id
                      limit 100
                    ) r) as "phones",
                    (select r from (
                      select (select r from (
                          select t10.key as "key"
                          from sources t10
                          where t10.id = t7.source_id
                        ) r) as "source",
                        t7.source_record_id as "sourceRecordId"
                    ) r) as "provenance"
                  from providers t7
                  where t7.id = t2.right_id
                ) r) as "right"
            ) r) as "node"
          from p0 t2
          where t2.".n" <= 3
          order by t2.".n"
        ) r) as "edges",
        (select r from (
          select exists (
              select
              from p0 t11
              where t11.".n" > 3
            ) as "hasNextPage"
        ) r) as "pageInfo"
    ) r) as "duplicateCandidates"
) r;
