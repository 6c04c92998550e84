select row_to_json(r)
from (
  select array(
    select (select row_to_json(r) from (
      select p.slug, p.name, p.website,
        (select r from (select c.name from counties c where c.fips = p.county_fips) r) as county
      from providers p where p.slug = k.slug
    ) r)
    from unnest($1::text[]) with ordinality k(slug, n) order by k.n
  ) as "_entities"
) r
