-- A file may have rows of any type that is edited, and any of these may have been checked by somebody.

drop function people_know_better(text, text, uuid, uuid, timestamptz);

-- The one place that says whose word counts: a feed's, or that of somebody who has looked since.
create function people_know_better(entity text, key text, checked uuid[], dated timestamptz)
    returns boolean language sql stable parallel safe
    return coalesce(
        (select dated is null and c.role in ('PARTNER', 'STAFF', 'ADMIN') from changes c
         where c.entity = people_know_better.entity and c.key = people_know_better.key
         order by c.xid desc, c.seq desc limit 1)
        or exists (select from changes c
                   where c.entity = people_know_better.entity and c.key = people_know_better.key
                     and c.role in ('PARTNER', 'STAFF', 'ADMIN') and c.at > dated)
        or exists (select from verifications v
                   where (v.institution_id = any (checked) or v.visitor_center_id = any (checked)
                          or v.program_id = any (checked) or v.offering_id = any (checked)
                          or v.provider_id = any (checked) or v.service_id = any (checked))
                     and v.method not in ('IMPORT', 'PARTNER_FEED')
                     and (dated is null or v.verified_at > dated)), false);
comment on function people_know_better is
    'Whether somebody has changed or checked a record, or what it belongs to, since the date that a feed bears. A feed without a date is older than whoever changed it last.';
