-- What those who change records need: a version of each, why it was changed, and keys that make sure
-- that what was asked for once is done once.

-- Who writes a record by hand is its source. What is imported names another.
create function own_source() returns uuid language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if not exists (select from sources where key = 'staff') then
        insert into sources (id, key, name, coverage) values (
            '5d3f7c1e-0c7a-5a53-9f5e-7a1f5b0c2e40', 'staff', 'Recorded by the staff of this directory',
            'What its staff found out themselves') on conflict do nothing;
    end if;
    return (select id from sources where key = 'staff');
end
$$;
comment on function own_source is 'The source of what staff write by hand; it is there from the first time that it is asked for.';
revoke execute on function own_source from public;
do $$
declare
    sourced text;
begin
    for sourced in
        select c.relname from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
            and a.attname = 'source_id' and a.attnotnull and c.relname <> 'imports'
    loop
        execute format('alter table %I alter source_id set default own_source()', sourced);
    end loop;
end
$$;

-- The log says why, too.
alter table changes add why text default nullif(current_setting('directory.why', true), '');
comment on column changes.why is 'Why: the setting directory.why; null where nobody said.';

-- As before, and with that.
create or replace function lines_at(cursors text[]) returns setof changes
    language sql stable
begin atomic
    select c.* from unnest(cursors) cursor
    join changes c on c.xid = split_part(cursor, '.', 1)::xid8 and c.seq = split_part(cursor, '.', 2)::bigint;
end;

-- A version is of what somebody wrote: what follows from other records does not make a new one.
create function next_version() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    new.updated_at := now();
    return new;
end
$$;
comment on function next_version is 'Counts the versions of a record, from 1, and notes when the newest came to be.';

create function versions(versioned regclass, variadic gathered text[] default '{}') returns void language plpgsql
    set search_path = public, pg_temp as $$
declare
    said name[];
begin
    execute format('alter table %s add column if not exists version integer not null default 1', versioned);
    execute format('comment on column %s.version is ''Kept: which version of the record this is, from 1.''', versioned);
    select array_agg(name) into said from unnest(recorded_columns(versioned, gathered)) name
    where name not in ('version', 'created_at', 'updated_at');
    execute format('create or replace trigger next_version before update on %s for each row
                    when ((%s) is distinct from (%s)) execute function next_version()', versioned,
        (select string_agg(format('old.%I', name), ', ') from unnest(said) name),
        (select string_agg(format('new.%I', name), ', ') from unnest(said) name));
end
$$;
comment on function versions is
    'For migrations: a table whose rows have versions, to be called again when it is given a column. Further arguments are columns that triggers gather from other tables.';

select versions(name::regclass) from unnest(array[
    'sources', 'counties', 'zip_codes', 'locations', 'categories', 'activity_group_types', 'synonyms',
    'providers', 'service_areas', 'services_at_locations', 'service_capacities',
    'required_documents', 'cost_options', 'language_notes', 'duplicate_candidates',
    'institutions', 'population_counts', 'visiting_statuses', 'visitor_amenities', 'visitor_centers',
    'visiting_facts', 'visiting_holidays', 'programs', 'program_offerings', 'reentry_programs',
    'phones', 'schedules', 'schedule_exceptions', 'enums', 'enum_values', 'translations']) name;
select versions('services', 'documents', 'fees', 'noted_languages', 'accessibility');

create table idempotency_keys (
    actor       text        not null,
    key         text        not null check (length(key) between 1 and 200),
    fingerprint text        not null,
    answer      json,
    at          timestamptz not null default now(),
    primary key (actor, key)
);
create index on idempotency_keys (at);
comment on table idempotency_keys is
    'What was answered to a change that came with a key, kept in the transaction of the change. HSDS 3 has no such object.';
comment on column idempotency_keys.fingerprint is 'SHA-256 of what was asked for.';

-- Who comes second waits here until the first has committed, and is then told what the first was told.
create function claim_key(actor text, key text, fingerprint text) returns json language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    kept idempotency_keys;
begin
    delete from idempotency_keys where ctid = any (array(
        select k.ctid from idempotency_keys k where k.at < now() - interval '7 days' limit 100 for update skip locked));
    insert into idempotency_keys as k (actor, key, fingerprint)
        values (claim_key.actor, claim_key.key, claim_key.fingerprint) on conflict do nothing;
    if found then
        return null;
    end if;
    select k.* into kept from idempotency_keys k where k.actor = claim_key.actor and k.key = claim_key.key;
    return json_build_object('same', kept.fingerprint = claim_key.fingerprint, 'answer', kept.answer);
end
$$;
comment on function claim_key is
    'Takes a key for the transaction that calls it: null if nobody had it, or whether the same was asked for, and the answer. Keys are kept for seven days.';

create function keep_answer(actor text, key text, answer json) returns json language sql
    security definer set search_path = public, pg_temp
begin atomic
    update idempotency_keys k set answer = keep_answer.answer
    where k.actor = keep_answer.actor and k.key = keep_answer.key
    returning to_json(true);
end;
comment on function keep_answer is 'Keeps what is answered to whoever has claimed this key.';
revoke execute on function claim_key, keep_answer from public;

-- The outcome of a change, as it is read back.
create function told_errors(errors jsonb) returns table (path text[], code text, message text)
    language sql immutable parallel safe
begin atomic
    select e.path, e.code, e.message from jsonb_to_recordset(errors) e (path text[], code text, message text);
end;
comment on function told_errors is 'Why a change was refused, as the server found it.';

create function version_of(entity text, key text, version integer) returns jsonb
    language sql stable set search_path = public, pg_temp
begin atomic
    select c.old from changes c
    where c.entity = version_of.entity and c.key = version_of.key and (c.old ->> 'version')::integer = version_of.version
    order by c.xid, c.seq limit 1;
end;
comment on function version_of is
    'A version of a record that is not its newest, as the change log has it; null if there is none.';

create function version_after(operation text, next jsonb, present integer) returns integer
    language sql immutable parallel safe
    return case when operation <> 'DELETE' then case when next is null then present else (next ->> 'version')::integer end end;
comment on function version_after is
    'The version that a line of the change log began: next is the row before the next line about the record, or null if there is none, and present the version that it has.';

-- Whoever may write a row need not be able to write what is gathered from it.
alter function gather_for_services() security definer set search_path = public, pg_temp;
alter function gather_accessibility() security definer set search_path = public, pg_temp;
