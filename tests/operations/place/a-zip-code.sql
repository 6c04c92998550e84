-- first road
-- $1 = '93610'
-- $2 = '93456'
-- $3 = '90000'
select row_to_json(r)
from (
  select (select r from (
      select t0.zip as "zip",
        t0.latitude as "latitude",
        t0.longitude as "longitude",
        t0.approximate as "approximate",
        (select r from (
          select source_licence(t0.source_id) as "licence"
        ) r) as "provenance"
      from zip_codes t0
      where t0.zip = $1::text
    ) r) as "area",
    (select r from (
      select t1.zip as "zip",
        t1.latitude as "latitude",
        t1.longitude as "longitude",
        t1.approximate as "approximate",
        (select r from (
          select source_licence(t1.source_id) as "licence"
        ) r) as "provenance"
      from zip_codes t1
      where t1.zip = $2::text
    ) r) as "boxes",
    (select r from (
      select t2.zip as "zip",
        t2.latitude as "latitude",
        t2.longitude as "longitude",
        t2.approximate as "approximate",
        (select r from (
          select source_licence(t2.source_id) as "licence"
        ) r) as "provenance"
      from zip_codes t2
      where t2.zip = $3::text
    ) r) as "none"
) r;
