-- What staff do: merge what is there twice, say whether visiting is on, record a check, close a prison.
--
-- Each action is one function, which decides and writes in the transaction of whoever calls it. It
-- reads and writes with its owner's rights, so a role that may act need not be able to write the
-- tables. Who did it is in the change log, by the settings directory.actor and directory.role.

-- Old names of what has been merged. ----------------------------------------------------------------

create table aliases (
    entity    text        not null,
    name      text        not null,
    value     text        not null,
    key       text        not null,
    reason    text,
    merged_at timestamptz not null default now(),
    primary key (entity, name, value),
    check (name <> 'id' or value <> key)
);
create index on aliases (entity, key);
comment on table aliases is
    'What a record was called before it was merged into another: its key, and whatever else was unique. HSDS 3: organization_identifier.';
comment on column aliases.entity is 'The table of both records.';
comment on column aliases.name is 'The unique column in which it had the value.';
comment on column aliases.key is 'The key of the record that it is now. Never an alias itself: chains are collapsed.';

-- Which columns of a record tell it from all others, each by itself.
create function naming_columns(entity regclass) returns setof name
    language sql stable set search_path = public, pg_temp
begin atomic
    select a.attname from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
    where i.indrelid = entity and i.indisunique and i.indnkeyatts = 1 and i.indpred is null and i.indexprs is null
    order by i.indisprimary desc, a.attnum;
end;
comment on function naming_columns is 'The columns that are unique by themselves; the key of the table is the first.';

-- Who is called so is called so: a record that comes back, or takes a name that was free, is meant by it.
create function take_back_names() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    called name;
begin
    if exists (select from aliases where entity = tg_table_name) and exists (select from new_rows) then
        foreach called in array array(select naming_columns(tg_relid)) loop
            execute format('delete from aliases a using new_rows n
                            where a.entity = %L and a.name = %L and a.value = n.%I::text',
                           tg_table_name, called, called);
        end loop;
    end if;
    return null;
end
$$;

create function has_aliases(entity regclass) returns void language plpgsql
    set search_path = public, pg_temp as $$
begin
    execute format('create trigger take_back_names_inserted after insert on %s
                    referencing new table as new_rows for each statement execute function take_back_names()', entity);
    execute format('create trigger take_back_names_updated after update on %s
                    referencing new table as new_rows for each statement execute function take_back_names()', entity);
end
$$;
comment on function has_aliases is 'For migrations: a table whose records may be merged.';
select has_aliases('providers'), has_aliases('services'), has_aliases('services_at_locations');

create function now_called(entity regclass, value text) returns text
    language sql stable set search_path = public, pg_temp
    return coalesce((select a.key from aliases a
                     where a.entity = now_called.entity::text and a.name = 'id' and a.value = now_called.value), value);
comment on function now_called is 'The key of the record that a key means: its own, or the one that it was merged into.';

-- Merging. ------------------------------------------------------------------------------------------

-- An event stays as it was told, also when the record that it is about turns out to be another one.
create or replace function refuse_rewriting() returns trigger language plpgsql as $$
declare
    moving text := nullif(current_setting('directory.moving', true), '');
begin
    if tg_op = 'UPDATE' and moving is not null and to_jsonb(new) - moving - 'owner_id' = to_jsonb(old) - moving - 'owner_id' then
        return new;
    end if;
    -- It goes with the record that it is about, when that leaves the directory; the log keeps both.
    if tg_op = 'DELETE' and tg_level = 'ROW' and current_setting('directory.archiving', true) = 'on' then
        return old;
    end if;
    raise exception '% is append-only: a correction is a new row', tg_table_name
        using errcode = 'restrict_violation';
end
$$;
comment on function refuse_rewriting is
    'Keeps a record of events a record: the newest row wins, no row goes. Only merge_records() lets one point elsewhere, and it goes only with what it is about.';

-- What of a row is its own word: not its key, nor where it comes from, nor what follows from others.
create function told_columns(entity regclass) returns name[]
    language sql stable set search_path = public, pg_temp
begin atomic
    select array(
        select told from unnest(recorded_columns(entity, coalesce((
            select (string_to_array(encode(t.tgargs, 'escape'), '\000'))[2]::text[] from pg_trigger t
            where t.tgrelid = entity and t.tgname = 'record_updated'), '{}'))) told
        where told <> all (array['source_id', 'source_record_id', 'source_date', 'source_date_precision', 'retrieved_at',
                                 'created_at', 'updated_at', 'version'])
            and not exists (select from pg_index i where i.indrelid = entity and i.indisprimary
                            and (select attnum from pg_attribute where attrelid = entity and attname = told) = any (i.indkey)));
end;
comment on function told_columns is 'The columns of a table that say something of a record.';

create function refers_to(entity regclass) returns table (referring regclass, pointing name)
    language plpgsql stable set search_path = public, pg_temp as $$
begin
    if exists (select from pg_constraint where contype = 'f' and confrelid = entity
               and (cardinality(conkey) > 1 or confkey[1] <> (
                   select indkey[0] from pg_index where indrelid = entity and indisprimary))) then
        raise exception 'a foreign key to % is not to its key alone, and nothing here can move it', entity;
    end if;
    return query
        select c.conrelid::regclass, a.attname from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'f' and c.confrelid = entity
        order by c.conrelid::regclass::text, a.attname;
end
$$;
comment on function refers_to is 'Each column with a foreign key to a table.';

-- The row of `referring` that is there already, if row `moving` were to point to `kept`: one whose
-- values have to differ and would not, or one that says the same.
create function double_of(referring regclass, pointing name, kept text, moving tid) returns tid
    language plpgsql stable set search_path = public, pg_temp as $$
declare
    same  text;
    found tid;
begin
    for same in
        select string_agg(format('d.%1$I = t.%1$I', a.attname), ' and ')
        from pg_index i
        cross join unnest(i.indkey[0:i.indnkeyatts - 1]) k
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k and a.attname <> pointing
        where i.indrelid = referring and i.indisunique and i.indexprs is null and i.indpred is null and i.indnkeyatts > 1
            and (select attnum from pg_attribute where attrelid = referring and attname = pointing) = any (i.indkey)
        group by i.indexrelid
        union all
        -- Of events, each is one, and of records that are called by a name of their own, too.
        select format('(%s) is not distinct from (%s)', string_agg(format('d.%I', told), ', '),
                      string_agg(format('t.%I', told), ', '))
        from unnest(told_columns(referring)) told
        where told <> pointing
            and not exists (select from pg_trigger where tgrelid = referring and tgfoid = 'refuse_rewriting'::regproc)
            and exists (select from pg_attribute where attrelid = referring and attname = 'source_record_id')
        having count(*) > 0
    loop
        execute format('select d.ctid from %1$s t join %1$s d on d.%2$I::text = $1 and %3$s
                        where t.ctid = $2 and d.ctid <> t.ctid order by d.ctid limit 1', referring, pointing, same)
        into found using kept, moving;
        exit when found is not null;
    end loop;
    return found;
end
$$;

create function merge_records(entity regclass, kept text, merged text, reason text default null) returns void
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    called text := entity::text;
    key    name := (select naming_columns(entity) limit 1);
    type   text := (select format_type(atttypid, atttypmod) from pg_attribute where attrelid = entity and attname = key);
    far    record;
    moving tid;
    twin   tid;
    far_key  name;
    far_kept text;
    far_gone text;
    gaps   text;
    each   name;
begin
    for far in select * from refers_to(entity) loop
        far_key := (select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                    where i.indrelid = far.referring and i.indisprimary and i.indnkeyatts = 1);
        for moving in
            execute format('select ctid from %s where %I = $1::%s order by ctid for update', far.referring, far.pointing, type)
            using merged
        loop
            twin := double_of(far.referring, far.pointing, kept, moving);
            if twin is null then
                continue;
            end if;
            if far_key is null or not exists (select from refers_to(far.referring)) then
                execute format('delete from %s where ctid = $1', far.referring) using moving;
            else
                -- What refers to one of them is to be found at the other.
                execute format('select (select %1$I::text from %2$s where ctid = $1), (select %1$I::text from %2$s where ctid = $2)',
                               far_key, far.referring) into far_kept, far_gone using twin, moving;
                perform merge_records(far.referring, far_kept, far_gone, reason);
            end if;
        end loop;
        perform set_config('directory.moving', far.pointing, true);
        begin
            execute format('update %1$s set %2$I = $1::%3$s where %2$I = $2::%3$s', far.referring, far.pointing, type)
            using kept, merged;
        exception when unique_violation or exclusion_violation then
            -- What is said of the kept record already speaks of the same days or the like. One by one,
            -- since whatever was moved is among those that the next is compared with.
            for moving in
                execute format('select ctid from %s where %I = $1::%s order by ctid', far.referring, far.pointing, type)
                using merged
            loop
                begin
                    execute format('update %s set %I = $1::%s where ctid = $2', far.referring, far.pointing, type)
                    using kept, moving;
                exception when unique_violation or exclusion_violation then
                    execute format('delete from %s where ctid = $1', far.referring) using moving;
                end;
            end loop;
        end;
        perform set_config('directory.moving', '', true);
    end loop;

    -- Nothing is overwritten. What the kept record does not know, it takes.
    select string_agg(format('%1$I = case when t.%1$I is null %2$s then m.%1$I else t.%1$I end', told,
                             case when a.attndims > 0 or y.typcategory = 'A' then format('or t.%I = ''{}''', told) end), ', ')
    into gaps
    from unnest(told_columns(entity)) told
    join pg_attribute a on a.attrelid = entity and a.attname = told
    join pg_type y on y.oid = a.atttypid
    where told not in (select naming_columns(entity)) and (not a.attnotnull or y.typcategory = 'A');
    -- Of what nobody asks for by its name, such as a phone, none is kept.
    foreach each in array array(select naming_columns(entity) where exists (
        select from pg_trigger where tgrelid = entity and tgfoid = 'take_back_names'::regproc))
    loop
        execute format('insert into aliases (entity, name, value, key, reason)
                        select %L, %L, t.%I::text, $1, $2 from %s t where t.%I = $3::%s and t.%I is not null',
                       called, each, each, entity, key, type, each) using kept, reason, merged;
    end loop;
    update aliases a set key = kept where a.entity = called and a.key = merged;
    if gaps is not null then
        -- Before the other goes, since it may lead to what nobody else leads to.
        execute format('update %1$s t set %2$s from %1$s m where t.%3$I = $1::%4$s and m.%3$I = $2::%4$s and (%5$s)',
                       entity, gaps, key, type,
                       (select string_agg(format('(t.%1$I is null %2$s) and m.%1$I is not null %3$s', told,
                                case when y.typcategory = 'A' then format('or t.%I = ''{}''', told) end,
                                case when y.typcategory = 'A' then format('and m.%I <> ''{}''', told) end), ' or ')
                        from unnest(told_columns(entity)) told
                        join pg_attribute a on a.attrelid = entity and a.attname = told
                        join pg_type y on y.oid = a.atttypid
                        where told not in (select naming_columns(entity)) and (not a.attnotnull or y.typcategory = 'A')))
        using kept, merged;
    end if;
    execute format('delete from %s where %I = $1::%s', entity, key, type) using merged;
end
$$;
comment on function merge_records is
    'Makes one record of two: all that refers to the merged one refers to the kept one, which takes what it lacks; what is then there twice is dropped; the merged one goes, and its names lead to the kept one. The change log keeps what was.';

-- Who is merged with whom is decided while both are held. One merge at a time: two that cross would
-- wait for each other. And none while files are loaded, which could bring back what goes.
create function begin_merge(entity regclass, inout kept text, inout merged text, out done boolean)
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    key  name := (select naming_columns(entity) limit 1);
    type text := (select format_type(atttypid, atttypmod) from pg_attribute where attrelid = entity and attname = key);
    held text[];
begin
    if kept is null or merged is null then
        raise exception 'Say which record is kept and which is merged into it.'
            using errcode = 'CR001', column = case when kept is null then 'kept' else 'merged' end;
    end if;
    if kept = merged then
        raise exception 'A record cannot be merged with itself: `merged` is `kept`.'
            using errcode = 'CR001', column = 'merged';
    end if;
    perform pg_advisory_xact_lock_shared(x'6c6f6164'::bigint);  -- "load", which takes it alone
    perform pg_advisory_xact_lock(x'6d65726765'::bigint);  -- "merge"
    done := now_called(entity, merged) = now_called(entity, kept) and now_called(entity, merged) <> merged;
    kept := now_called(entity, kept);
    if done then
        return;
    end if;
    if now_called(entity, merged) <> merged then
        raise exception 'The record of `merged` was merged into another one already.'
            using errcode = 'CR001', column = 'merged';
    end if;
    if kept = merged then
        raise exception 'The record of `kept` was merged into that of `merged`: they are one already.'
            using errcode = 'CR001', column = 'kept';
    end if;
    execute format('select array_agg(key) from (select %1$I::text as key from %2$s where %1$I in ($1::%3$s, $2::%3$s)
                    order by %1$I for update) t', key, entity, type)
    into held using kept, merged;
    if kept <> all (coalesce(held, '{}')) then
        raise exception 'There is no such record as `kept`.' using errcode = 'CR001', column = 'kept';
    end if;
    if merged <> all (held) then
        raise exception 'There is no such record as `merged`.' using errcode = 'CR001', column = 'merged';
    end if;
end
$$;
comment on function begin_merge is
    'Locks two records that are to be one, or says in words of ours why they cannot be. done: they are already.';

create function merge_providers(kept_id uuid, merged_id uuid, reason text default null) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    begun  record := begin_merge('providers', kept_id::text, merged_id::text);
    pair   duplicate_candidates;
    other  uuid;
begin
    kept_id := begun.kept;
    if begun.done then
        return kept_id;
    end if;
    -- What people decided about a pair is decided about whom it is about now.
    for pair in
        select * from duplicate_candidates where merged_id in (left_id, right_id) order by id for update
    loop
        other := case when pair.left_id = merged_id then pair.right_id else pair.left_id end;
        if other = kept_id then
            update duplicate_candidates set decision = 'MERGED', decided_at = clock(), updated_at = now()
            where id = pair.id and decision <> 'MERGED';
            delete from duplicate_candidates where id = pair.id;  -- the log keeps it: a pair of one is none
            continue;
        end if;
        update duplicate_candidates c
        set decision = pair.decision, decided_at = pair.decided_at, decision_note = pair.decision_note, updated_at = now()
        where (c.left_id, c.right_id) = (least(kept_id, other), greatest(kept_id, other))
            and c.decision = 'PENDING' and pair.decision <> 'PENDING';
        if exists (select from duplicate_candidates c
                   where (c.left_id, c.right_id) = (least(kept_id, other), greatest(kept_id, other))) then
            delete from duplicate_candidates where id = pair.id;
        else
            update duplicate_candidates c
            set id = md5(least(kept_id, other)::text || greatest(kept_id, other)::text)::uuid,
                left_id = least(kept_id, other), right_id = greatest(kept_id, other), updated_at = now()
            where id = pair.id;
        end if;
    end loop;
    perform merge_records('providers', kept_id::text, merged_id::text, reason);
    return kept_id;
end
$$;
comment on function merge_providers is 'Two providers are one: the merged one leads to the kept one from now on. Done twice, it changes nothing.';

create function merge_services(kept_id uuid, merged_id uuid, reason text default null) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    begun record := begin_merge('services', kept_id::text, merged_id::text);
begin
    if not begun.done then
        if (select count(distinct provider_id) from services where id::text in (begun.kept, begun.merged)) > 1 then
            raise exception 'The services are of two providers: merge these first, or `merged` is another service.'
                using errcode = 'CR001', column = 'merged';
        end if;
        perform merge_records('services', begun.kept, begun.merged, reason);
    end if;
    return begun.kept;
end
$$;
comment on function merge_services is 'Two services of one provider are one.';

alter table duplicate_candidates add decision_note text check (decision_note <> '');
comment on column duplicate_candidates.decision_note is 'Why they are two, as whoever decided it wrote.';

create function keep_apart(candidate_id uuid, reason text default null) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    update duplicate_candidates c
    set decision = 'NOT_DUPLICATE', decided_at = clock(), decision_note = nullif(trim(reason), ''), updated_at = now()
    where c.id = candidate_id
        and (c.decision <> 'NOT_DUPLICATE' or c.decision_note is distinct from nullif(trim(reason), ''));
    if not found and not exists (select from duplicate_candidates where id = candidate_id) then
        raise exception 'There is no such pair as `candidate`.' using errcode = 'CR001', column = 'candidate';
    end if;
    return candidate_id;
end
$$;
comment on function keep_apart is 'Two records that look like one are two, and stay so.';

-- Visiting statuses from a day on. ------------------------------------------------------------------

create function today() returns date
    language sql stable parallel safe set search_path = public, pg_temp
    return (clock() at time zone 'America/Los_Angeles')::date;
comment on function today is 'What day it is in California.';

alter table visiting_statuses
    alter id set default gen_random_uuid(),
    add effective_from timestamptz,
    add holds_from timestamptz not null generated always as (coalesce(effective_from, last_updated)) stored;
comment on column visiting_statuses.effective_from is
    'From when on it holds, where that was said; null: since it was said.';
comment on column visiting_statuses.holds_from is
    'Of those whose time has come the latest one holds; of two of one moment what was said last.';
create index on visiting_statuses (institution_id, visit_type, holds_from desc, last_updated desc, created_at desc, id);
create index on visiting_statuses (holds_from);

create function visiting_statuses_at(at timestamptz) returns setof visiting_statuses
    language sql stable parallel safe rows 50
begin atomic
    select distinct on (institution_id, visit_type) * from visiting_statuses
    where holds_from <= at
    order by institution_id, visit_type, holds_from desc, last_updated desc, created_at desc, id;
end;
comment on function visiting_statuses_at is 'What holds at a moment, of each type of visit at each institution.';

create or replace view current_visiting_statuses as select * from visiting_statuses_at(clock());

-- Who follows is told of what will hold when it is said, since nothing is written when its day comes.
create or replace function visiting_status_changes(cursors text[], institutions uuid[])
returns table (cursor text, at timestamptz, institution_id uuid, visit_type text, visiting_status_id uuid, cleared boolean)
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select l.xid || '.' || l.seq, l.at, about.institution_id, about.visit_type, told.id, told.id is null
    from lines_at(cursors) l
    left join visiting_statuses s on s.id = l.key::uuid
    cross join lateral (
        select coalesce(s.institution_id, (l.old ->> 'institution_id')::uuid) as institution_id,
               coalesce(s.visit_type, l.old ->> 'visit_type') as visit_type) about
    left join current_visiting_statuses n
        on n.institution_id = about.institution_id and n.visit_type = about.visit_type
    cross join lateral (select case when s.holds_from > clock() then s.id else n.id end as id) told
    where l.entity = 'visiting_statuses'
        and about.institution_id is not null
        and (institutions is null or about.institution_id = any (institutions))
        -- What was said of the past, or is no longer what holds, changes nothing; the line of what
        -- holds is told, whether it came before or comes later.
        and (told.id = s.id
             or s.id is null and (n.id is null or n.holds_from <= coalesce(
                 l.old ->> 'effective_from', l.old ->> 'last_updated')::timestamptz));
end;
comment on function visiting_status_changes is
    'What holds now, or will from its day on, at institutions about whose visiting these lines are: at those given, or at all. No row for a line that changes nothing.';

-- Closing. ------------------------------------------------------------------------------------------

do $$
declare
    rule name := (select conname from pg_constraint where conrelid = 'institutions'::regclass
                  and pg_get_constraintdef(oid) like '%closed_on IS NULL) OR (status = ANY%');
begin
    execute format('alter table institutions drop constraint %I', rule);
end
$$;
alter table institutions add check (closed_on is null or status in ('CLOSING', 'CLOSED', 'DEACTIVATED_UNIT'));
comment on column institutions.closed_on is
    'When it closed, or is to close. The first day of the month or year, where only that is known: see the precision.';

create function has_closed(institution institutions, day date) returns boolean
    language sql immutable parallel safe
    -- The end of what is known of the date.
    return case when (institution).status in ('CLOSED', 'DEACTIVATED_UNIT') or (institution).closed_on is not null then
        coalesce(((institution).closed_on + case (institution).closed_on_precision
            when 'YEAR' then interval '1 year' when 'MONTH' then interval '1 month' else interval '0' end)::date <= day, true)
        else false end;
comment on function has_closed is 'Whether an institution is closed on a day, also where its closure was announced before.';

create or replace function visiting_override(institution uuid, asked_type text, asked_yard text, at timestamptz,
                                             out verdict text, out reason text)
    language plpgsql stable parallel safe security definer set search_path = public, pg_temp as $$
declare
    said record;
begin
    select has_closed(i, (at at time zone 'America/Los_Angeles')::date) as closed,
           i.status_note, v.status as visiting, v.exceptions, v.affected_yards
    into said
    from institutions i
    left join lateral (
        select * from visiting_statuses_at(at) v
        where v.institution_id = i.id and v.visit_type = coalesce(asked_type, 'IN_PERSON') limit 1) v on true
    where i.id = institution;
    if said.closed then
        verdict := 'CLOSED';
        reason := said.status_note;
    elsif said.visiting = 'CLOSED' then
        verdict := 'CLOSED';
        reason := said.exceptions;
    elsif said.visiting in ('OPEN_WITH_EXCEPTIONS', 'LIMITED') and asked_yard = any (said.affected_yards) then
        verdict := 'UNKNOWN';
        reason := said.exceptions;
    end if;
end $$;

create or replace function hours_override(owner uuid, asked_type text, asked_yard text, at timestamptz,
                                          out general uuid, out verdict text, out reason text)
    language plpgsql stable parallel safe security definer set search_path = public, pg_temp as $$
declare
    service record;
    center record;
    prison institutions;
begin
    -- Only prisons are asked for a type of visit.
    if asked_type is not null then
        select o.verdict, o.reason into verdict, reason from visiting_override(owner, asked_type, asked_yard, at) o;
        return;
    end if;
    select s.status into service from services s where s.id = owner;
    if not found then
        select s.id, s.status into service
        from services_at_locations l join services s on s.id = l.service_id where l.id = owner;
        if found then
            general := service.id;
        end if;
    end if;
    if found then
        if service.status in ('INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED') then
            verdict := 'CLOSED';
        end if;
        return;
    end if;
    select c.* into center from visitor_centers c where c.id = owner;
    if not found then
        select o.verdict, o.reason into verdict, reason from visiting_override(owner, asked_type, asked_yard, at) o;
        return;
    end if;
    select i.* into prison from institutions i where i.id = center.institution_id;
    if center.status in ('INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED')
        and (center.status_as_of is null or center.status_as_of <= (at at time zone 'America/Los_Angeles')::date) then
        verdict := 'CLOSED';
        reason := center.alert;
    elsif has_closed(prison, (at at time zone 'America/Los_Angeles')::date) then
        -- Nobody is visited there any more.
        verdict := 'CLOSED';
        reason := prison.status_note;
    elsif center.opens_with_visiting then
        general := center.institution_id;
        select o.verdict, o.reason into verdict, reason from visiting_override(general, 'IN_PERSON', null, at) o;
    end if;
    if verdict is null and center.status = 'UNKNOWN' then
        verdict := 'UNKNOWN';
        reason := center.alert;
    end if;
end $$;

create or replace function next_change_of_hours() returns timestamptz
    language sql stable parallel safe
    return least(
        (select min(instant_of(c.clock::date + later + t.hour, c.timezone))
         from hours_clocks(clock()) c
         cross join generate_series(0, 1) later
         cross join (
            select opens_at from schedules union select closes_at from schedules
            union select opens_at from schedule_exceptions union select closes_at from schedule_exceptions
            union select time '00:00') t (hour)
         where instant_of(c.clock::date + later + t.hour, c.timezone) > clock()),
        (select min(holds_from) from visiting_statuses where holds_from > clock()));

create or replace function visitor_center_required(institution uuid, day date default null) returns boolean
    language sql stable parallel safe security definer set search_path = public, pg_temp
begin atomic
    select case
        -- 6351 speaks of state adult prisons, so no count matters elsewhere.
        when i.institution_type <> 'STATE_PRISON' or i.population_age = 'JUVENILE' then false
        -- Whoever has closed holds nobody, whatever was counted last.
        when i.status in ('CLOSED', 'DEACTIVATED_UNIT')
             and (day is null
                  or day >= coalesce(last_day(i.closed_on, i.closed_on_precision),
                                     last_day(i.status_as_of, i.status_as_of_precision))) then false
        when i.status = 'CLOSING' and has_closed(i, coalesce(day, today())) then false
        else population_used(i.id, day) > 300
    end
    from institutions i where i.id = institution;
end;

alter table program_offerings add ended_on date;
comment on column program_offerings.ended_on is
    'The first day on which it runs no more, where that is known or announced. HSDS 3: service.status of the program''s service.';
create view ongoing_offerings as
    select id, program_id, institution_id from program_offerings
    where status <> 'ENDED' and (ended_on is null or ended_on > today());
comment on view ongoing_offerings is 'The offerings that lead from a program to where it runs, and back.';

create function recording(source uuid) returns uuid language plpgsql
    set search_path = public, pg_temp as $$
begin
    if source is not null and not exists (select from sources where id = source) then
        raise exception 'There is no such `source`.' using errcode = 'CR001', column = 'source';
    end if;
    return coalesce(source, own_source());
end
$$;
comment on function recording is 'The source that is named, or that of our own staff.';

create function publish_visiting_status(
    institution_id uuid, visit_type text, status text, exceptions text default null, affected_yards text[] default null,
    from_date date default null, contact_email text default null, source_id uuid default null) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_variable
declare
    prison institutions;
    made   uuid;
begin
    -- Whoever closes it meanwhile is waited for. What is kept of statuses is written there, too.
    select i.* into prison from institutions i where i.id = institution_id for no key update;
    if not found then
        raise exception 'There is no such `institution`.' using errcode = 'CR001', column = 'institution';
    end if;
    if visit_type is null or visit_type not in ('IN_PERSON', 'VIDEO', 'FAMILY_OVERNIGHT', 'NON_CONTACT') then
        raise exception 'There is no such `visitType`.' using errcode = 'CR001', column = 'visitType';
    end if;
    if status is null or status not in ('OPEN', 'OPEN_WITH_EXCEPTIONS', 'LIMITED', 'CLOSED', 'UNKNOWN') then
        raise exception 'There is no such `status`.' using errcode = 'CR001', column = 'status';
    end if;
    if from_date < today() then
        raise exception '`fromDate` is over: a status is published from now or from a later day on.'
            using errcode = 'CR001', column = 'fromDate';
    elsif from_date > today() + 366 then
        raise exception '`fromDate` is more than a year ahead.' using errcode = 'CR001', column = 'fromDate';
    end if;
    if status not in ('CLOSED', 'UNKNOWN') and has_closed(prison, coalesce(from_date, today())) then
        raise exception 'The institution is closed then, so `status` can be nothing but CLOSED or UNKNOWN.'
            using errcode = 'CR001', column = 'status';
    end if;
    if contact_email !~ '^[^@ ]+@[^@ ]+$' then
        raise exception '`contactEmail` is no e-mail address.' using errcode = 'CR001', column = 'contactEmail';
    end if;
    insert into visiting_statuses (institution_id, visit_type, status, exceptions, affected_yards, last_updated,
                                   effective_from, contact_email, source_id)
    values (institution_id, visit_type, status, nullif(trim(exceptions), ''), coalesce(affected_yards, '{}'), clock(),
            case when from_date > today() then instant_of(from_date::timestamp, 'America/Los_Angeles') end,
            contact_email, recording(source_id))
    returning id into made;
    return made;
end
$$;
comment on function publish_visiting_status is
    'Says whether visiting is on, from now or from a later day on. What was said before stays, and holds until then.';

create function close_institution(
    institution_id uuid, closed_on date, note text default null, source_id uuid default null) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_variable
declare
    prison  institutions;
    since   timestamptz;
    reached boolean;
    word    text;
    said    text := nullif(trim(note), '');
begin
    select i.* into prison from institutions i where i.id = institution_id for update;
    if not found then
        raise exception 'There is no such `institution`.' using errcode = 'CR001', column = 'institution';
    end if;
    if closed_on is null or not isfinite(closed_on) or closed_on < make_date(coalesce(prison.opened_year, 1850), 1, 1)
        or closed_on > (today() + interval '10 years')::date then
        raise exception '`closedOn` is no day between its opening and ten years from now.'
            using errcode = 'CR001', column = 'closedOn';
    end if;
    -- Where only the month or the year is known, a day within it says more.
    if closed_on not between prison.closed_on and last_day(prison.closed_on, prison.closed_on_precision) then
        raise exception 'It closes on another day already, %. For another `closedOn`, reopen it first.', prison.closed_on
            using errcode = 'CR001', column = 'closedOn';
    end if;
    since := instant_of(closed_on::timestamp, 'America/Los_Angeles');
    reached := closed_on <= today();
    word := case when prison.status = 'DEACTIVATED_UNIT' then prison.status when reached then 'CLOSED' else 'CLOSING' end;

    update institutions i
    set status = word, closed_on = closed_on, closed_on_precision = 'DAY', status_note = coalesce(said, i.status_note),
        status_as_of = today(), status_as_of_precision = 'DAY', updated_at = now()
    where i.id = prison.id
        and (i.status, i.closed_on, i.closed_on_precision, i.status_note)
            is distinct from (word, closed_on, 'DAY', coalesce(said, i.status_note));

    -- At each moment at which something else would begin to hold. Later words are later than theirs.
    insert into visiting_statuses (institution_id, visit_type, status, exceptions, last_updated, effective_from, source_id)
    select prison.id, v.visit_type, 'CLOSED', coalesce(said, prison.status_note), greatest(clock(), v.last_updated), p.moment,
           recording(source_id)
    from (select since as moment
          union select l.holds_from from visiting_statuses l where l.institution_id = prison.id and l.holds_from > since) p
    cross join lateral visiting_statuses_at(p.moment) v
    where v.institution_id = prison.id and v.status <> 'CLOSED' and (p.moment = since or v.holds_from = p.moment);

    update program_offerings o
    set ended_on = coalesce(o.ended_on, closed_on), status = case when reached then 'ENDED' else o.status end, updated_at = now()
    where o.institution_id = prison.id and o.status <> 'ENDED'
        and (reached or o.ended_on is null);

    update visitor_centers c
    set status = 'DEFUNCT', status_as_of = closed_on, status_as_of_precision = 'DAY', alert = coalesce(said, c.alert),
        updated_at = now()
    where reached and c.institution_id = prison.id and c.status <> 'DEFUNCT';

    perform from schedules s
    where s.institution_id = prison.id or s.visitor_center_id in (select c.id from visitor_centers c where c.institution_id = prison.id)
    order by s.id for update;
    delete from schedules s
    where (s.institution_id = prison.id
           or s.visitor_center_id in (select c.id from visitor_centers c where c.institution_id = prison.id))
        and greatest(s.dtstart, s.valid_from) >= closed_on;
    update schedules s
    set until = case when s.freq is not null then closed_on - 1 else s.until end,
        count = case when s.freq is null then s.count end,
        valid_to = case when s.freq is null then closed_on - 1 else s.valid_to end,
        updated_at = now()
    where (s.institution_id = prison.id
           or s.visitor_center_id in (select c.id from visitor_centers c where c.institution_id = prison.id))
        and coalesce(case when s.freq is null then s.valid_to else s.ends_on end, 'infinity') >= closed_on;
    return prison.id;
end
$$;
comment on function close_institution is
    'Closes an institution on a day, and all that is there with it: visiting, offerings, centers, hours. Done again for the same day it changes nothing, but for what the day''s coming changes.';

-- Checks. -------------------------------------------------------------------------------------------

create function record_verification(
    method text, outcome text, institution_id uuid default null, visitor_center_id uuid default null,
    program_id uuid default null, offering_id uuid default null, provider_id uuid default null,
    service_id uuid default null, verified_at timestamptz default null, note text default null,
    next_due_at timestamptz default null) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_variable
declare
    made   uuid;
    found_ boolean;
begin
    if num_nonnulls(institution_id, visitor_center_id, program_id, offering_id, provider_id, service_id) <> 1 then
        raise exception 'A check is of exactly one record: name one of `institution`, `visitorCenter`, `program`, `offering`, `provider` and `service`.'
            using errcode = 'CR001', column = 'institution';
    end if;
    provider_id := now_called('providers', provider_id::text);
    service_id := now_called('services', service_id::text);
    -- Held, so that it cannot be merged or removed before the check is there.
    perform from institutions where id = institution_id for key share;
    found_ := found;
    perform from visitor_centers where id = visitor_center_id for key share;
    found_ := found_ or found;
    perform from programs where id = program_id for key share;
    found_ := found_ or found;
    perform from program_offerings where id = offering_id for key share;
    found_ := found_ or found;
    perform from providers where id = provider_id for key share;
    found_ := found_ or found;
    perform from services where id = service_id for key share;
    found_ := found_ or found;
    if not found_ then
        raise exception 'There is no record of this id.' using errcode = 'CR001', column = case
            when institution_id is not null then 'institution' when visitor_center_id is not null then 'visitorCenter'
            when program_id is not null then 'program' when offering_id is not null then 'offering'
            when provider_id is not null then 'provider' else 'service' end;
    end if;
    if method is null or method not in ('PHONE', 'SITE_VISIT', 'WEBSITE', 'EMAIL', 'PARTNER_FEED', 'IMPORT') then
        raise exception 'There is no such `method`.' using errcode = 'CR001', column = 'method';
    end if;
    if outcome is null or outcome not in ('CONFIRMED', 'CHANGED', 'UNREACHABLE', 'CLOSED') then
        raise exception 'There is no such `outcome`.' using errcode = 'CR001', column = 'outcome';
    end if;
    verified_at := coalesce(verified_at, clock());
    if verified_at > clock() then
        raise exception '`verifiedAt` has not come yet.' using errcode = 'CR001', column = 'verifiedAt';
    elsif verified_at < '2000-01-01' then
        raise exception '`verifiedAt` is before the year 2000.' using errcode = 'CR001', column = 'verifiedAt';
    end if;
    if next_due_at <= verified_at or next_due_at > verified_at + interval '5 years' then
        raise exception '`nextDueAt` is not after the check, or more than five years later.'
            using errcode = 'CR001', column = 'nextDueAt';
    end if;
    -- Without a next date there is one by the rule of 0014, which is asked and not copied.
    insert into verifications (institution_id, visitor_center_id, program_id, offering_id, provider_id, service_id,
                               method, outcome, verified_at, next_due_at, note)
    values (institution_id, visitor_center_id, program_id, offering_id, provider_id, service_id,
            method, outcome, verified_at, next_due_at, nullif(trim(note), ''))
    returning id into made;
    return made;
end
$$;
comment on function record_verification is 'Somebody checked a record. When the next check is due follows, if it is not said.';

-- Exceptions of hours, in words. --------------------------------------------------------------------

create function check_exception() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    wrong text;
    about text;
begin
    if new.starts_on not between '1900-01-01' and '2199-12-31' then
        about := 'startsOn';
        wrong := '`startsOn` is no day between 1900 and 2199.';
    elsif new.ends_on not between '1900-01-01' and '2199-12-31' then
        about := 'endsOn';
        wrong := '`endsOn` is no day between 1900 and 2199.';
    elsif new.ends_on < new.starts_on then
        about := 'endsOn';
        wrong := '`endsOn` is before `startsOn`.';
    elsif new.closed and num_nonnulls(new.opens_at, new.closes_at) > 0 then
        about := 'closed';
        wrong := 'What is `closed` all day has neither `opensAt` nor `closesAt`.';
    elsif not new.closed and num_nulls(new.opens_at, new.closes_at) > 0 then
        about := case when new.opens_at is null then 'opensAt' else 'closesAt' end;
        wrong := 'What is not `closed` all day has `opensAt` and `closesAt`.';
    elsif new.institution_id is null and num_nonnulls(new.visit_type, new.yard) > 0 then
        about := case when new.visit_type is not null then 'visitType' else 'yard' end;
        wrong := 'Only visiting hours of an institution have a `visitType` and a `yard`.';
    elsif exists (
        select from schedule_exceptions e
        where e.id <> new.id
            and e.owner_id = coalesce(new.institution_id, new.visitor_center_id, new.service_id, new.service_at_location_id)
            and e.visit_type is not distinct from new.visit_type and e.yard is not distinct from new.yard
            and daterange(e.starts_on, e.ends_on, '[]') && daterange(new.starts_on, new.ends_on, '[]'))
    then
        -- Of two that come at once the constraint lets one through.
        about := 'startsOn';
        wrong := 'From `startsOn` to `endsOn` there is a day of another exception for the same visits: change that one.';
    end if;
    if wrong is not null then
        raise exception '%', wrong using errcode = 'CR001', column = about;
    end if;
    return new;
end
$$;
create trigger check_exception before insert or update on schedule_exceptions
    -- A load says which line it is that Postgres refuses; what is moved was right where it was.
    for each row when (coalesce(current_setting('directory.actor', true), '') <> 'load'
                       and coalesce(current_setting('directory.moving', true), '') = '') execute function check_exception();

-- What people did. ----------------------------------------------------------------------------------

create index on changes (entity, key) where role in ('PARTNER', 'STAFF', 'ADMIN');
create function changed_by_people(entity text) returns table (key text, operation text, at timestamptz, role text)
    language sql stable set search_path = public, pg_temp
begin atomic
    -- Lines about one record are written one after the other: see 0039.
    select c.key, c.operation, c.at, c.role from changes c
    where c.entity = changed_by_people.entity and c.role in ('PARTNER', 'STAFF', 'ADMIN')
        and not exists (select from changes l where l.entity = c.entity and l.key = c.key and l.seq > c.seq);
end;
comment on function changed_by_people is
    'The records of a table whose newest line in the change log is of a person, and what it did: those a feed must not overwrite, nor bring back after a DELETE.';

revoke execute on function
    publish_visiting_status, close_institution, record_verification, merge_providers, merge_services, keep_apart,
    merge_records, begin_merge, changed_by_people, recording
from public;

-- What was added above is said by hand, so that a change of it makes a new version.
select versions(name::regclass) from unnest(array['program_offerings', 'visiting_statuses', 'duplicate_candidates']) name;

-- Whether a key was an alias at a moment of the past is known, too.
select records('aliases');
