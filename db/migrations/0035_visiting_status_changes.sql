-- What is told to those who follow whether visiting is on.

create function lines_at(cursors text[]) returns setof changes
    language sql stable
begin atomic
    select c.* from unnest(cursors) cursor
    join changes c on c.xid = split_part(cursor, '.', 1)::xid8 and c.seq = split_part(cursor, '.', 2)::bigint;
end;
comment on function lines_at is 'Lines of the change log by their cursors, which are xid and seq with a dot between them.';

-- Of its owner's rights: whoever is told need not be able to read what was before, where there may be
-- what the public must not know.
create function visiting_status_changes(cursors text[], institutions uuid[])
returns table (cursor text, at timestamptz, institution_id uuid, visit_type text, visiting_status_id uuid, cleared boolean)
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select l.xid || '.' || l.seq, l.at, about.institution_id, about.visit_type, n.id, n.id is null
    from lines_at(cursors) l
    left join visiting_statuses s on s.id = l.key::uuid
    cross join lateral (
        select coalesce(s.institution_id, (l.old ->> 'institution_id')::uuid) as institution_id,
               coalesce(s.visit_type, l.old ->> 'visit_type') as visit_type) about
    left join current_visiting_statuses n
        on n.institution_id = about.institution_id and n.visit_type = about.visit_type
    where l.entity = 'visiting_statuses'
        and about.institution_id is not null
        and (institutions is null or about.institution_id = any (institutions))
        -- What was said of the past, or is no longer what holds, changes nothing; the line of what
        -- holds is told, whether it came before or comes later.
        and (n.id = s.id or s.id is null and (n.id is null or n.last_updated <= (l.old ->> 'last_updated')::timestamptz));
end;
comment on function visiting_status_changes is
    'What holds now at institutions about whose visiting these lines are: at those given, or at all. No row for a line that changes nothing.';
