-- second road
-- $1 = 'PBSP'
select row_to_json(r)
from (
  select (select r from (
      select t0.code as ".2ede9e5714da7ff5169a6ff4a4a7975872c42134",
        t0.name as ".a462bc3582df1787f1f5b2f7a02bf0d5ec2c5d64",
        t0.opened_year as "short",
        (select r from (
          select t1.name as ".2ede9e5714da7ff5169a6ff4a4a7975872c42134"
          from counties t1
          where t1.fips = t0.county_fips
        ) r) as ".111df3dff107f4ec49b836b6d07c71943b887728"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution"
) r;
