-- first road
-- $1 = 'https://github.com/mbecica/cdcr_facility_data'
-- $2 = 'SQ'
-- $3 = 3
-- $4 = 'CFA_CLEAN_SLATE'
select row_to_json(r)
from (
  select (select r from (
      select (select r from (
          select (select r from (
              select t1.name as "name"
              from sources t1
              where t1.id = t0.source_id
            ) r) as "source",
            source_url(t0.source_id) as "sourceUrl",
            t0.source_record_id as "sourceRecordId",
            t0.source_date as "sourceDate",
            t0.source_date_precision as "sourceDatePrecision",
            t0.retrieved_at as "retrievedAt",
            source_licence(t0.source_id) as "licence"
        ) r) as "provenance",
        (select r from (
          select t2.month as "month",
            (select r from (
              select source_url(t2.source_id) as "sourceUrl",
                source_licence(t2.source_id) as "licence"
            ) r) as "provenance"
          from current_population_counts t2
          where t2.institution_id = t0.id
        ) r) as "population",
        (select r from (
          select (
              select count(*)
              from program_offerings t3
              where t3.institution_id = t0.id
                and exists (
                select
                from sources t4
                where t4.id = t3.source_id
                  and t4.url = $1::text
              )
            ) as "totalCount"
        ) r) as "programOfferings"
      from institutions t0
      where t0.code = $2::text
    ) r) as "institution",
    (select r from (
      select array(select r from (
          select (select r from (
              select (select r from (
                  select t7.key as "key"
                  from sources t7
                  where t7.id = t6.c0
                ) r) as "provenanceSource"
            ) r) as "key",
            t6.c1 as "count"
          from (
            select t5.source_id as "c0",
              count(*) as "c1"
            from providers t5
            where t5.listed
            group by 1
          ) t6
          order by t6.c1 desc, t6.c0
          limit $3::int8
        ) r) as "groupBy"
    ) r) as "providers",
    (select r from (
      select (
          select count(*)
          from services t8
          where t8.listed
            and exists (
            select
            from sources t9
            where t9.id = t8.source_id
              and t9.key = $4::text
          )
        ) as "totalCount",
        array(select r from (
          select (select r from (
              select source_url(t10.source_id) as "sourceUrl",
                t10.source_record_id as "sourceRecordId",
                t10.source_date as "sourceDate",
                source_licence(t10.source_id) as "licence"
            ) r) as "provenance"
          from services t10
          where t10.listed
            and exists (
            select
            from sources t11
            where t11.id = t10.source_id
              and t11.key = $4::text
          )
          order by t10.name, t10.id
          limit 1
        ) r) as "nodes"
    ) r) as "services"
) r;
