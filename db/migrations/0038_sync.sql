-- What a client has to fetch to know what it would know if it fetched everything anew.
--
-- Lines are read in the order of the log and not beyond the oldest transaction under way (0034 says
-- why), so the place where a page ends is final: nothing can appear before it later. A record is told
-- at its last line only, so that it comes once however often it changed; its state is read in the same
-- statement, and so is at least as new as that line.

create function place_is(from_xid xid8, from_seq bigint) returns text
    language sql stable parallel safe set search_path = public, pg_temp
begin atomic
    select case
        when from_xid > pg_snapshot_xmax(pg_current_snapshot()) then 'UNKNOWN'
        -- The oldest lines go first: if none is left before it, some after it may be gone.
        when not exists (select from changes c where (c.xid, c.seq) <= (from_xid, from_seq))
            and exists (select from changes) then 'EXPIRED'
        -- Between two transactions, as the horizon is, there is no line.
        when from_seq <> 0 and not exists (select from changes c where (c.xid, c.seq) = (from_xid, from_seq))
            then 'UNKNOWN'
        else 'KNOWN' end;
end;
comment on function place_is is
    'Whether a place in the change log is KNOWN, so that all that came after it can be told; EXPIRED, or UNKNOWN.';

create function changes_since(
    since text, tables text[], called text[], first integer,
    out cursor text, out has_more boolean, out kind text[], out key text[])
    language plpgsql stable parallel safe set search_path = public, pg_temp as $$
declare
    horizon constant xid8 := pg_snapshot_xmin(pg_current_snapshot());
    -- A page looks at so many lines at the most, so that no question takes long; the next goes on.
    most    constant integer := 5000;
    from_xid xid8;
    from_seq bigint;
    looked   integer := 0;
    line     record;
begin
    cursor := horizon || '.0';
    has_more := false;
    kind := '{}';
    key := '{}';
    if since is null then
        return;
    end if;
    from_xid := split_part(since, '.', 1)::xid8;
    from_seq := split_part(since, '.', 2)::bigint;
    case place_is(from_xid, from_seq)
        when 'UNKNOWN' then raise exception 'no such place' using errcode = 'CR002';
        when 'EXPIRED' then raise exception 'no longer there' using errcode = 'CR003';
        else null;
    end case;
    if from_xid > horizon then
        cursor := since;  -- a replica may be behind the server that gave this
    end if;
    for line in
        select c.xid, c.seq, c.entity, c.key from changes c
        where (c.xid, c.seq) > (from_xid, from_seq) and c.xid < horizon
        order by c.xid, c.seq limit most
    loop
        if line.entity = any (tables) and not exists (
            select from changes c
            where c.entity = line.entity and c.key = line.key
                and (c.xid, c.seq) > (line.xid, line.seq) and c.xid < horizon)
        then
            if cardinality(key) >= first then
                has_more := true;
                exit;
            end if;
            kind := kind || called[array_position(tables, line.entity)];
            key := key || line.key;
        end if;
        looked := looked + 1;
        from_xid := line.xid;
        from_seq := line.seq;
    end loop;
    has_more := has_more or looked = most;
    if has_more then
        cursor := from_xid || '.' || from_seq;
    end if;
end
$$;
comment on function changes_since is
    'Which records of these tables have changed since a cursor of the change log, each called as its table is; a cursor to go on from, and whether there is more. Without a cursor, the one of now.';
