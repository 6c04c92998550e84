-- first road
-- $1 = '06037'
-- $2 = UUID('8a811c7b-5d93-5bbe-bdd3-68153f9d8af6')
-- $3 = UUID('8a811c7b-5d93-5bbe-bdd3-68153f9d8af6')
select row_to_json(r)
from (
  select (select row_to_json(r) from (
      select 'County' as "__typename",
        'County:' || t0.fips::text as "id",
        t0.name as "name"
      from counties t0
      where t0.fips = $1::text
    ) r) as "county",
    (select row_to_json(r) from (
      select (select r from (
          select t1.source_record_id as "sourceRecordId"
        ) r) as "provenance",
        t1.code as "code"
      from institutions t1
      where t1.id = $2::uuid
    ) r) as "institution",
    (select row_to_json(r) from (
      select 'Program:' || t2.id::text as "id"
      from programs t2
      where t2.id = $3::uuid
    ) r) as "missing"
) r;
