-- first road
-- $1 = 'SQ'
select row_to_json(r)
from (
  select (select r from (
      select 'Institution:' || t0.id::text as "id",
        t0.code as "code",
        t0.aliases as "aliases",
        t0.name as "name",
        t0.status as "status",
        t0.opened_year as "openedYear",
        t0.closed_on as "closedOn",
        t0.security_levels as "securityLevels"
      from institutions t0
      where t0.code = $1::text
    ) r) as "institution"
) r;
