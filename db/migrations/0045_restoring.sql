-- What was said before, and what has left the directory, can be brought back from the change log.

create function put_back(recorded text, said jsonb, version integer, transaction_ xid8) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    relation regclass := to_regclass(quote_ident(recorded));
    names    text := (select string_agg(quote_ident(name), ', ') from unnest(recorded_columns(relation, '{}')) name
                      where said ? name and name <> 'version');
    keys     text := (select string_agg(quote_ident(a.attname), ', ') from pg_index i
                      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
                      where i.indrelid = relation and i.indisprimary);
    versioned boolean := exists (select from pg_attribute where attrelid = relation and attname = 'version');
    reference record;
    line      record;
begin
    execute format('insert into %s (%s%s) select %2$s%4$s from jsonb_populate_record(null::%1$s, $1) r
                    on conflict (%5$s) do nothing', relation, names,
                   case when versioned then ', version' else '' end, case when versioned then ', $2' else '' end, keys)
        using said, version;
    -- What went together comes back together.
    for reference in
        select c.conrelid::regclass::text as referring, a.attname as local, b.attname as remote
        from pg_constraint c
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        join pg_attribute b on b.attrelid = c.confrelid and b.attnum = c.confkey[1]
        where c.contype = 'f' and c.confrelid = relation and cardinality(c.conkey) = 1
        order by 1, 2
    loop
        for line in
            select c.entity, c.old from changes c
            where c.xid = transaction_ and c.operation = 'DELETE' and c.entity = reference.referring
                and c.old ->> reference.local = said ->> reference.remote
            order by c.seq
        loop
            perform put_back(line.entity, line.old, (line.old ->> 'version')::integer + 1, transaction_);
        end loop;
    end loop;
end
$$;
comment on function put_back is
    'Puts a row back as the change log has it, and all that left in the same transaction and refers to it.';

create function restore_record(recorded text, key text, version integer) returns text language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    relation regclass := to_regclass(quote_ident(recorded));
    id       name := (select a.attname from pg_index i
                      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                      where i.indrelid = relation and i.indisprimary);
    said     jsonb := version_of(recorded, key, version);
    present  integer;
    names    text;
    last     record;
begin
    execute format('select version from %s t where t.%I::text = $1 for update', relation, id) into present using key;
    if present = version then
        return key;
    end if;
    if said is null then
        raise exception 'There is no such version of this record' using errcode = 'CR001', column = 'version';
    end if;
    if present is not null then
        select string_agg(quote_ident(name), ', ') into names from unnest(recorded_columns(relation, '{}')) name
        where said ? name and name not in ('version', 'created_at', 'updated_at', id);
        execute format('update %1$s t set (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, $1) r)
                        where t.%3$I::text = $2', relation, names, id) using said, key;
        return key;
    end if;
    select c.xid, c.old into last from changes c
    where c.entity = recorded and c.key = restore_record.key and c.operation = 'DELETE' order by c.xid desc, c.seq desc limit 1;
    perform put_back(recorded, said, (last.old ->> 'version')::integer + 1, last.xid);
    return key;
end
$$;
comment on function restore_record is
    'Makes a record say what a version of it said; one that has left comes back, with all that left together with it.';
revoke execute on function put_back, restore_record from public;

create function type_called(recorded text) returns text
    language sql immutable parallel safe
    return case recorded
        when 'services_at_locations' then 'ServiceAtLocation'
        when 'visiting_statuses' then 'VisitingStatus'
        when 'enums' then 'EnumType'
        else replace(initcap(replace(
            regexp_replace(regexp_replace(recorded, 'ies$', 'y'), '(?<!s)s$', ''), '_', ' ')), ' ', '') end;
comment on function type_called is 'What clients call the type of the records in a table.';

create view archived_records as
    select c.entity || ':' || c.key as id, type_called(c.entity) as record_type,
        type_called(c.entity) || ':' || c.key as record_id, (c.old ->> 'version')::integer as version,
        coalesce(c.old ->> 'name', c.old ->> 'name_en', c.old ->> 'label_en', c.old ->> 'number') as called,
        c.at as archived_at, c.actor as archived_by, c.why
    from changes c
    where c.operation = 'DELETE' and c.role is not null and c.old ? 'version'
        and not exists (select from changes later where later.entity = c.entity and later.key = c.key
                        and (later.xid, later.seq) > (c.xid, c.seq));
create index on changes (at desc) where operation = 'DELETE' and role is not null;
comment on view archived_records is
    'What people have taken out of the directory, and nobody has brought back. HSDS 3 has no such object.';

-- What is due is asked for in the order in which it is.
do $$
declare
    owner text;
begin
    foreach owner in array array['institutions', 'visitor_centers', 'programs', 'program_offerings', 'providers', 'services']
    loop
        execute format('drop index %I', owner || '_verification_due_at_idx');
        execute format('create index on %I (verification_due_at, id)', owner);
    end loop;
end
$$;

-- What a rule asks for, in words for whoever breaks it: a comment on a constraint is shown to clients.
do $$
declare
    rule record;
begin
    for rule in
        select c.conname, c.conrelid::regclass as owner, w.words
        from pg_constraint c
        cross join lateral (select pg_get_constraintdef(c.oid) as said) d
        cross join lateral (
            select words from (values
                (1, 'num_nonnulls\(.*_id.*\) = 1', 'It belongs to exactly one record.'),
                (2, 'IS NULL\) = \(.* IS NULL\)', 'Either both of these are said, or neither.'),
                (3, $r$\^\[a-z0-9\]\+\(-\[a-z0-9\]\+\)\*$r$, 'It is written in small letters and digits, with hyphens between.'),
                (4, $r$\^\[A-Z0-9\]\+\(-\[A-Z0-9\]\+\)\*$r$, 'It is written in capitals and digits, with hyphens between.'),
                (5, $r$\^\[A-Z\]\[A-Z0-9_\]\*$r$, 'It is written in capitals, digits and underscores.'),
                (6, $r$\^https\?://$r$, 'It begins with http:// or https://.'),
                (7, $r$\^\\\+\[1-9\]$r$, 'It is written as +15595550100, without spaces.'),
                (8, $r$\^\[0-9\]\{5\}\(-$r$, 'It has five digits, or nine as in 93701-1234.'),
                (9, $r$\^\[\^@ \]\+@$r$, 'It is no address of e-mail.'),
                (10, '<> ''''::text', 'It cannot be empty.'),
                (11, '^CHECK \(\(\w+ >= 0\)\)$', 'It cannot be negative.'),
                (12, '^CHECK \(\(\w+ > 0\)\)$', 'It has to be above zero.')
            ) w (n, pattern, words)
            where d.said ~ w.pattern order by n limit 1) w
        where c.contype = 'c' and c.connamespace = 'public'::regnamespace
            and obj_description(c.oid, 'pg_constraint') is null
    loop
        execute format('comment on constraint %I on %s is %L', rule.conname, rule.owner, rule.words);
    end loop;
end
$$;

-- A key outlives the organization that it speaks for, and speaks for nobody then.
alter table api_keys drop constraint api_keys_provider_id_fkey,
    add foreign key (provider_id) references providers on delete set null;
