select row_to_json(r)
from (
  select (select r from (
    with page as materialized (
      select p.*, row_number() over () as n
      from (
        select p.* from providers p
        where p.county_fips = $1
          and exists (
            select from services s join service_categories c on c.service_id = s.id
            where s.provider_id = p.id and c.category_code = $2
          )
        order by p.name, p.id limit 21
      ) p
    )
    select
      array(select r from (
        select p.name, p.org_type as "orgType", p.website,
          (select r from (
            select l.public_street as street, l.public_city as city, l.public_zip as zip
            from locations l where l.id = p.location_id
          ) r) as location,
          array(select r from (
            select h.number from phones h
            where h.provider_id = p.id order by h.number, h.id limit 100
          ) r) as phones,
          (select r from (select array(select r from (
            select s.name,
              (select r from (select array(select r from (
                select c.code, c.label_en as label
                from service_categories sc join categories c on c.code = sc.category_code
                where sc.service_id = s.id order by c.label_en, c.code limit 10
              ) r) as nodes) r) as categories
            from services s where s.provider_id = p.id order by s.name, s.id limit 3
          ) r) as nodes) r) as services
        from page p where p.n <= 20 order by p.n
      ) r) as nodes,
      (select r from (select
        exists (select from page where n > 20) as "hasNextPage",
        (select array[name, id::text] from page where n <= 20 order by n desc limit 1) as "endCursor"
      ) r) as "pageInfo"
  ) r) as providers
) r
