-- The change log: what has happened to records, one line after the other, written by Postgres itself.
--
-- Three things stand on it: what a record said before, what a client has to fetch since it last
-- looked, and what is told to those who subscribe. So a line is written in the transaction that it
-- is about, whoever changes the record, and never touched again.
--
-- Readers page by (xid, seq), and never look at lines whose xid is not below
-- pg_snapshot_xmin(pg_current_snapshot()). A number of a sequence is drawn when a line is written,
-- and the line is seen when its transaction commits: a transaction that drew 7 may commit after one
-- that drew 8, and who remembers "up to 8" would never see 7. Of transactions below the xmin none is
-- under way, so what is below it is final, and whatever commits later comes later in this order. The
-- price is that a line waits until all transactions that began to write before it have ended, in
-- whatever database of the cluster.
--
-- It grows by what changes: see the figures in tests/db/test_change_log.py. Nobody may shorten it but
-- whoever owns it, in a transaction that disables the trigger `append_only`, oldest lines first. A
-- reader whose cursor is among those that went is told so: it has to begin anew.

create table changes (
    seq       bigint      not null generated always as identity,
    xid       xid8        not null default pg_current_xact_id(),
    at        timestamptz not null default now(),
    entity    text        not null,
    key       text        not null,
    operation text        not null check (operation in ('INSERT', 'UPDATE', 'DELETE')),
    old       jsonb       check ((old is null) = (operation = 'INSERT')),
    actor     text        default nullif(current_setting('directory.actor', true), ''),
    role      text        default nullif(current_setting('directory.role', true), ''),
    request   text        default nullif(current_setting('directory.request', true), ''),
    primary key (xid, seq)
);
create index on changes (entity, key, xid, seq);
comment on table changes is
    'What has happened to a record, in the order in which readers may know; append-only. HSDS 3: metadata.';
comment on column changes.seq is 'The order within a transaction. Between transactions it says nothing: see xid.';
comment on column changes.xid is 'The transaction. Readers stop before the oldest one that is under way.';
comment on column changes.at is
    'When the transaction began, so that all its lines have one moment. The real clock, which no setting stops.';
comment on column changes.entity is 'The table of the record.';
comment on column changes.key is 'The key of the record there, as text.';
comment on column changes.old is
    'The row as it was before, without what is worked out from other columns and rows; null for what is new. It holds what the public may not read.';
comment on column changes.actor is 'Who did it: the setting directory.actor of the transaction; null where nobody said.';
comment on column changes.role is 'In which role: the setting directory.role.';
comment on column changes.request is 'In which request: the setting directory.request.';

create function keep_the_log() returns trigger language plpgsql as $$
begin
    raise exception 'changes is append-only, and only changes of records write it'
        using errcode = 'restrict_violation';
end
$$;
comment on function keep_the_log is 'Keeps the change log true: nobody rewrites it, and nobody makes lines up.';
create trigger append_only before update or delete on changes
    for each row execute function keep_the_log();
create trigger append_only_whole before truncate on changes
    for each statement execute function keep_the_log();
create trigger written_by_triggers before insert on changes
    for each statement when (pg_trigger_depth() = 0) execute function keep_the_log();

-- What is generated, or kept of other rows by a view of what is kept, follows from what is recorded.
create function recorded_columns(recorded regclass, gathered text[]) returns name[]
    language sql stable
    set search_path = public, pg_temp
    return (
        select array_agg(a.attname order by a.attnum) from pg_attribute a
        where a.attrelid = recorded and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and a.attname <> all (gathered)
            and not exists (
                select from pg_attribute k join pg_class v on v.oid = k.attrelid
                where v.relkind = 'v' and v.relnamespace = 'public'::regnamespace and k.attnum > 0
                    and starts_with(v.relname, (select relname from pg_class where oid = recorded) || '_kept_')
                    and k.attname = a.attname and k.attname <> 'id'));
comment on function recorded_columns is
    'The columns of a table that the change log is about: all but those worked out from other columns and rows.';

-- Of its owner's rights: whoever may change a record need not be able to write the log.
create function record_changes() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    named    text   := quote_literal(tg_table_name);
    key      text   := quote_ident(tg_argv[0]);
    recorded name[];
    others   text[];
begin
    if tg_op = 'INSERT' then
        execute format('insert into changes (entity, key, operation) select %1$s, %2$s, ''INSERT'' from new_rows',
                       named, key);
        return null;
    end if;
    -- A load says "insert, or update": mostly nothing is updated, and that should cost nothing.
    if tg_op = 'UPDATE' then
        if not exists (select from new_rows) then
            return null;
        end if;
    end if;
    recorded := recorded_columns(tg_relid, tg_argv[1]::text[]);
    others := array(select attname from pg_attribute where attrelid = tg_relid and attnum > 0 and attname <> all (recorded));
    if tg_op = 'UPDATE' then
        -- Who changes the key of a record ends one and begins another.
        execute format('insert into changes (entity, key, operation, old)
            select %1$s, coalesce(o.%2$s, n.%2$s),
                   case when o.%2$s is null then ''INSERT'' when n.%2$s is null then ''DELETE'' else ''UPDATE'' end,
                   case when o.%2$s is not null then to_jsonb(o) - $1 end
            from old_rows o full join new_rows n on n.%2$s = o.%2$s
            where (%3$s) is distinct from (%4$s)', named, key,
            (select string_agg(format('o.%I', name), ', ') from unnest(recorded) name),
            (select string_agg(format('n.%I', name), ', ') from unnest(recorded) name)) using others;
    else
        execute format('insert into changes (entity, key, operation, old)
            select %1$s, %2$s, ''DELETE'', to_jsonb(o) - $1 from %3$s o', named, key,
            -- What is truncated is not handed over, but still there before it happens.
            case tg_op when 'TRUNCATE' then tg_relid::regclass::text else 'old_rows' end) using others;
    end if;
    return null;
end
$$;
comment on function record_changes is
    'Writes the change log. Arguments: the key of the table, and its columns that triggers gather from other tables.';

create function records(recorded regclass, variadic gathered text[] default '{}') returns void language plpgsql
    set search_path = public, pg_temp as $$
declare
    key name := (select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                 where i.indrelid = recorded and i.indisprimary and i.indnkeyatts = 1);
    called text;
begin
    if key is null then
        raise exception 'only a table whose key is one column is recorded, and % has none', recorded;
    end if;
    called := format('execute function record_changes(%L, %L)', key, gathered);
    execute format('create trigger record_inserted after insert on %s
                    referencing new table as new_rows for each statement %s', recorded, called);
    execute format('create trigger record_updated after update on %s
                    referencing old table as old_rows new table as new_rows for each statement %s', recorded, called);
    execute format('create trigger record_deleted after delete on %s
                    referencing old table as old_rows for each statement %s', recorded, called);
    execute format('create trigger record_truncated before truncate on %s for each statement %s', recorded, called);
end
$$;
comment on function records is
    'For migrations: a table whose changes are logged. Further arguments are columns that triggers gather from other tables.';

select records(name::regclass) from unnest(array[
    'sources', 'imports', 'counties', 'zip_codes', 'locations', 'categories', 'activity_group_types', 'synonyms',
    'providers', 'service_areas', 'services_at_locations', 'service_capacities',
    'required_documents', 'cost_options', 'language_notes', 'duplicate_candidates',
    'institutions', 'population_counts', 'visiting_statuses', 'visitor_amenities', 'visitor_centers',
    'visiting_facts', 'visiting_holidays', 'programs', 'program_offerings', 'reentry_programs',
    'phones', 'schedules', 'schedule_exceptions', 'verifications', 'enums', 'enum_values', 'translations']) name;
select records('services', 'documents', 'fees', 'noted_languages', 'accessibility');
