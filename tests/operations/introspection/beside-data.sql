-- second road
-- $1 = 'SQ'
select row_to_json(r)
from (
  select 'Query' as "__typename",
    (select r from (
      select 'Institution' as "__typename",
        t0.code as "code"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution"
) r;
