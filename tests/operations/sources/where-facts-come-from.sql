-- first road
-- $1 = 'SAMHSA_MH'
-- $2 = '%FEMA%'
select row_to_json(r)
from (
  select (select r from (
      select t0.publisher as "publisher",
        t0.licence as "licence",
        t0.data_date as "dataDate",
        t0.data_date_precision as "dataDatePrecision",
        t0.synthetic as "synthetic",
        (select r from (
          select (
              select count(*)
              from providers t1
              where t1.source_id = t0.id
                and t1.listed
            ) as "totalCount"
        ) r) as "providers"
      from sources t0
      where t0.key = $1::text
    ) r) as "source",
    (select r from (
      select array(select r from (
          select t2.name as "name",
            (select r from (
              select (
                  select count(*)
                  from institutions t3
                  where t3.source_id = t2.id
                ) as "totalCount"
            ) r) as "institutions"
          from sources t2
          where t2.name ilike $2::text
            and exists (
            select
            from institutions t4
            where t4.source_id = t2.id
          )
          order by t2.key, t2.id
          limit 20
        ) r) as "nodes"
    ) r) as "sources"
) r;
