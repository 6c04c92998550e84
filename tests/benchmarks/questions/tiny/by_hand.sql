select row_to_json(r)
from (
  select (select r from (select p.name, p.website from providers p where p.slug = $1) r) as provider
) r
