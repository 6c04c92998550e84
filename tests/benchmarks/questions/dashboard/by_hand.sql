select row_to_json(r)
from (
  select (select r from (select
    (select count(*) from institutions) as "totalCount",
    array(select r from (
      select i.code, i.name, i.status,
        (select r from (select n.name from counties n where n.fips = i.county_fips) r) as county,
        (select r from (select array(select r from (
          select c.month, c.in_custody as "inCustody" from population_counts c
          where c.institution_id = i.id order by c.month desc, c.id limit 1
        ) r) as nodes) r) as "populationCounts",
        (select r from (select (
          select count(*) from visitor_centers c where c.institution_id = i.id
        ) as "totalCount") r) as "visitorCenters",
        (select r from (select
          (select count(*) from program_offerings o where o.institution_id = i.id) as "totalCount",
          array(select r from (
            select p.name from program_offerings o join programs p on p.id = o.program_id
            where o.institution_id = i.id order by p.name, p.id limit 10
          ) r) as nodes) r) as programs
      from institutions i order by i.name, i.id limit 100
    ) r) as nodes) r) as institutions
) r
