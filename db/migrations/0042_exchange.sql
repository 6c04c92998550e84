-- Imports: what is read from somebody's file waits in a table of its own, and becomes records at once or
-- not at all. What the standard says beyond what the directory has is kept beside, for the next export.

create table import_runs (
    id               uuid primary key default gen_random_uuid(),
    kind             text not null check (kind in ('HSDS', 'CSV')),
    about            text check (about <> ''),
    state            text not null default 'STAGING' check (state in ('STAGING', 'CHECKED', 'APPLIED', 'FAILED')),
    dry_run          boolean not null,
    file             text not null check (file <> ''),
    sha256           text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    actor            text not null check (actor <> ''),
    source_id        uuid references sources,
    rows_read        integer not null default 0 check (rows_read >= 0),
    rows_staged      integer not null default 0 check (rows_staged >= 0),
    rows_inserted    integer not null default 0 check (rows_inserted >= 0),
    rows_changed     integer not null default 0 check (rows_changed >= 0),
    rows_unchanged   integer not null default 0 check (rows_unchanged >= 0),
    rows_rejected    integer not null default 0 check (rows_rejected >= 0),
    rows_conflicting integer not null default 0 check (rows_conflicting >= 0),
    rejections       integer not null default 0 check (rejections >= 0),
    error            text check (error <> ''),
    started_at       timestamptz not null default now(),
    finished_at      timestamptz check (finished_at >= started_at),
    check (state <> 'FAILED' or error is not null),
    check (state not in ('FAILED', 'APPLIED') or finished_at is not null),
    check (not (dry_run and state = 'APPLIED'))
);
create index on import_runs (started_at desc, id desc);
create index on import_runs (state, started_at desc, id desc);
create index on import_runs (file, started_at desc, id desc);
create index on import_runs (source_id);
-- What goes on after a crash is found by the file.
create index on import_runs (sha256, kind) where state in ('STAGING', 'CHECKED');
comment on table import_runs is
    'One import of one file: how far it came, and what became of it. HSDS 3 has no such object; metadata tells of each record.';
comment on column import_runs.about is 'The type of the rows, where a file has rows of one type only.';
comment on column import_runs.state is
    'STAGING: being read, or killed while it was. CHECKED: read whole and not applied: it was a dry run, or was killed since.';
comment on column import_runs.sha256 is 'Of the whole file. The same file begun again goes on where it was.';
comment on column import_runs.rows_read is 'How many of the rows of the file are staged, or refused for good.';
comment on column import_runs.rows_staged is 'How many records were found in these rows: a row may nest several.';
comment on column import_runs.rejections is 'How many there were; of very many only the first are kept.';

create table import_rejections (
    id       uuid primary key default gen_random_uuid(),
    run_id   uuid not null references import_runs on delete cascade,
    number   integer not null check (number > 0),
    place    text not null,
    entity   text,
    field    text,
    value    text check (length(value) <= 100),
    reason   text not null check (reason in ('INVALID', 'MISSING', 'UNKNOWN_REFERENCE', 'DUPLICATE', 'CONSTRAINT', 'CONFLICT')),
    message  text not null check (message <> ''),
    row_kept boolean not null,
    unique (run_id, number)
);
create index on import_rejections (run_id, number, id);
create index on import_rejections (reason, run_id, number);
create index on import_rejections (number, id);
comment on table import_rejections is
    'A row, or a value of one, that an import did not take. HSDS 3 has no such object.';
comment on column import_rejections.place is 'The line, or the path within a document.';
comment on column import_rejections.value is 'Its beginning: enough to know which one is meant.';
comment on column import_rejections.row_kept is 'Whether the row was taken without the value.';

-- Not unlogged: after a crash of Postgres, a run that goes on would not find what it has counted.
create table import_rows (
    run_id  uuid not null references import_runs on delete cascade,
    number  bigint not null,
    entity  text not null,
    key     uuid not null,
    object  jsonb not null,
    parents uuid[] not null default '{}',
    place   text not null,
    primary key (run_id, entity, key)
);
-- Asked for right after it was written: a list of what is not yet in it would be read each time.
create index on import_rows using gin (parents) with (fastupdate = off);
comment on table import_rows is
    'What an import has read, until it is applied. HSDS 3: any object, flat, with what it is inside of.';

create table hsds_remainders (
    entity      text not null,
    key         uuid not null,
    said        jsonb not null,
    made        jsonb,
    parents     uuid[] not null default '{}',
    again       boolean not null default false,
    location_id uuid,
    source_id   uuid not null references sources,
    primary key (entity, key)
);
create index on hsds_remainders using gin (parents) with (fastupdate = off);
create index on hsds_remainders (entity, (said ->> 'id')) where made is null;
create index on hsds_remainders (source_id);
comment on table hsds_remainders is
    'What HSDS 3 said of a record beyond what the directory has, so that an export loses nothing. HSDS 3: any object.';
comment on column hsds_remainders.entity is 'The object of HSDS, such as contact.';
comment on column hsds_remainders.key is 'Our id of it, if the directory has such a record; else its own.';
comment on column hsds_remainders.said is 'The fields as they were said, where that is not what the directory says; null: not said.';
comment on column hsds_remainders.made is
    'What the directory said of these fields when they were imported: when it says something else, somebody has changed it, and that counts. Null if the directory has no such record.';
comment on column hsds_remainders.parents is 'The records it is inside of, where the directory does not say so.';
comment on column hsds_remainders.again is 'Whether another row has the same object: one inside of a record of ours.';
comment on column hsds_remainders.location_id is 'The place it speaks of. If its address is not public, neither is this.';

create function hsds_different(said jsonb, made jsonb) returns jsonb
    language sql immutable parallel safe
    -- null = null is not what is asked here: a field that neither has is no difference.
    return (select coalesce(jsonb_object_agg(key, coalesce(said -> key, 'null')), '{}')
            from jsonb_object_keys(said || made) key
            where (said -> key) is distinct from (made -> key));
comment on function hsds_different is 'The fields of an object that another one has not, or has differently; null where only the other one has them.';

create function hsds_put_back(made jsonb, said jsonb, then_made jsonb) returns jsonb
    language sql immutable parallel safe
    return case when said is null then jsonb_strip_nulls(made) else jsonb_strip_nulls(made || coalesce(
        (select jsonb_object_agg(key, value) from jsonb_each(said)
         where coalesce(made -> key, 'null') = coalesce(then_made -> key, 'null')), '{}')) end;
comment on function hsds_put_back is
    'What the directory says of an object, with what was said beyond it. What changed here since counts for more.';

create function hsds_once(object jsonb, variadic fields text[]) returns jsonb
    language sql immutable parallel safe
    return object - array(
        select fields[n + 1] from generate_series(1, array_length(fields, 1), 2) n
        where coalesce(object -> fields[n], 'null') <> 'null');
comment on function hsds_once is
    'An object that says an id or has the whole, not both. Fields come in twos: the one with the whole, and the one with its id.';

-- With their owner's rights: what is kept of a place whose address is not public stays with us.
create function hsds_visible(r hsds_remainders) returns boolean
    language sql stable parallel safe
    return not exists (select from locations l where l.id = r.location_id and l.address_visibility <> 'PUBLIC');
comment on function hsds_visible is 'Whether the public may read a remainder.';

create function hsds_beyond(entity text, key uuid) returns hsds_remainders
    language sql stable parallel safe security definer set search_path = public, pg_temp
begin atomic
    select r from hsds_remainders r
    where r.entity = hsds_beyond.entity and r.key = hsds_beyond.key and hsds_visible(r);
end;
comment on function hsds_beyond is 'What was said of a record beyond what the directory has.';

create function hsds_one(entity text, id text) returns hsds_remainders
    language sql stable parallel safe security definer set search_path = public, pg_temp
begin atomic
    select r from hsds_remainders r
    where r.entity = hsds_one.entity and r.said ->> 'id' = hsds_one.id and r.made is null and hsds_visible(r)
    order by r.again, r.key limit 1;
end;
comment on function hsds_one is 'An object that the directory has no record of, by the id that it has there.';

create function hsds_inside(entity text, parent uuid) returns setof hsds_remainders
    language sql stable parallel safe security definer set search_path = public, pg_temp
begin atomic
    select r from hsds_remainders r
    where r.parents @> array[parent] and r.entity = hsds_inside.entity and hsds_visible(r);
end;
comment on function hsds_inside is 'What was said to be inside of a record, and is not by what the directory has.';

create function hsds_alone(entity text) returns setof hsds_remainders
    language sql stable parallel safe security definer set search_path = public, pg_temp
begin atomic
    select r from hsds_remainders r
    where r.entity = hsds_alone.entity and r.made is null and not r.again and hsds_visible(r);
end;
comment on function hsds_alone is 'All objects of a kind that the directory has no records of.';

create function hsds_entities() returns setof text
    language sql stable parallel safe security definer set search_path = public, pg_temp
begin atomic
    select distinct entity from hsds_remainders;
end;
comment on function hsds_entities is 'Of which objects of HSDS anything is kept.';

-- The one place that says whose word counts: a feed's, or that of somebody who has looked since.
create function people_know_better(entity text, key text, provider uuid, service uuid, dated timestamptz)
    returns boolean language sql stable parallel safe
    return coalesce(
        (select dated is null and c.role in ('PARTNER', 'STAFF', 'ADMIN') from changes c
         where c.entity = people_know_better.entity and c.key = people_know_better.key
         order by c.xid desc, c.seq desc limit 1)
        or exists (select from changes c
                   where c.entity = people_know_better.entity and c.key = people_know_better.key
                     and c.role in ('PARTNER', 'STAFF', 'ADMIN') and c.at > dated)
        or exists (select from verifications v
                   where (v.provider_id = provider or v.service_id = service)
                     and v.method not in ('IMPORT', 'PARTNER_FEED')
                     and (dated is null or v.verified_at > dated)), false);
comment on function people_know_better is
    'Whether somebody has changed or checked a record since the date that a feed bears. A feed without a date is older than whoever changed it last.';
