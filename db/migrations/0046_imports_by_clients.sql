-- Imports that clients ask for: a file comes in parts, as large as a request may be, and waits for a
-- server that takes it as the command line does.

alter table import_runs
    drop constraint import_runs_state_check,
    add constraint import_runs_state_check
        check (state in ('RECEIVING', 'WAITING', 'STAGING', 'CHECKED', 'APPLIED', 'FAILED', 'CANCELLED')),
    add started_by  text check (started_by <> ''),
    add why         text,
    add record_type text check (record_type <> ''),
    add source_key  text check (source_key <> ''),
    add dated       timestamptz,
    add bytes       integer check (bytes between 0 and 100000000),
    add received_at timestamptz,
    add tries       integer not null default 0 check (tries >= 0),
    add tried_at    timestamptz,
    add step        text check (step <> ''),
    add step_done   integer check (step_done >= 0),
    add step_of     integer check (step_of >= 0),
    add constraint import_runs_cancelled_check check (state <> 'CANCELLED' or finished_at is not null),
    add constraint import_runs_asked_check
        check (state not in ('RECEIVING', 'WAITING') or (started_by is not null and bytes is not null));
create index on import_runs (started_at, id) where finished_at is null and started_by is not null;
comment on column import_runs.state is
    'RECEIVING: parts of the file are still to come. WAITING: no server has begun it. STAGING: being read, or killed while it was. CHECKED: read whole and not applied: it was a dry run, or was killed since.';
comment on column import_runs.sha256 is
    'Of the whole file; while parts are still to come, of the first. The same file begun again at the command line goes on where it was.';
comment on column import_runs.started_by is 'Which client asked for it; null at the command line.';
comment on column import_runs.why is 'Why, as a client said.';
comment on column import_runs.record_type is 'Of a client''s table: the type of its rows.';
comment on column import_runs.source_key is 'As a client said: the source of what is new.';
comment on column import_runs.dated is 'As a client said: how old the file is, where it does not say so itself.';
comment on column import_runs.bytes is 'How much of a client''s file has come.';
comment on column import_runs.received_at is 'When the last part of it came.';
comment on column import_runs.tries is 'How often a server has begun it, or gone on with it.';
comment on column import_runs.step is 'What is being done right now, or was last.';
comment on column import_runs.step_done is 'How much of that.';
comment on column import_runs.step_of is 'Of how much; null where nobody knows yet.';

create table import_parts (
    run_id  uuid not null references import_runs on delete cascade,
    number  integer not null check (number > 0),
    sha256  bytea not null check (length(sha256) = 32),
    content bytea,
    primary key (run_id, number)
);
comment on table import_parts is 'A file that a client sends, in parts, until its import is over. HSDS 3 has no such object.';
comment on column import_parts.sha256 is 'Kept: a part that is sent twice is known.';
comment on column import_parts.content is 'Null when the import is over.';

create function forget_parts() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    update import_parts set content = null where run_id = new.id and content is not null;
    return null;
end
$$;
comment on function forget_parts is 'Nobody needs the file when its import is over.';
create trigger forget_parts after update of finished_at on import_runs for each row
    when (old.finished_at is null and new.finished_at is not null) execute function forget_parts();

create function receive_part(run_id uuid, number integer, content text, base64 boolean, more boolean) returns void
    language plpgsql set search_path = public, pg_temp as $$
#variable_conflict use_variable
declare
    run    import_runs;
    part   bytea;
    before bytea;
    last   integer;
begin
    select r.* into run from import_runs r where r.id = run_id for no key update;
    if run.id is null then
        raise exception 'There is no such import.' using errcode = 'CR001', column = 'id';
    elsif run.started_by is null then
        raise exception 'This import is of a file at the command line.' using errcode = 'CR001', column = 'id';
    end if;
    begin
        part := case when base64 then decode(content, 'base64') else convert_to(content, 'UTF8') end;
    exception when invalid_parameter_value then
        raise exception '`content` is no base64.' using errcode = 'CR001', column = 'content';
    end;
    select coalesce(max(p.number), 0) into last from import_parts p where p.run_id = run.id;
    select p.sha256 into before from import_parts p where p.run_id = run.id and p.number = number;
    if before <> sha256(part) then
        raise exception 'Part % has come already, with something else.', number using errcode = 'CR001', column = 'content';
    elsif before is not null and number < last and not more then
        raise exception 'Part % has come already, and others after it.', number using errcode = 'CR001', column = 'more';
    elsif before is null and run.state <> 'RECEIVING' then
        raise exception 'No more of this file is awaited: its import is %.', run.state using errcode = 'CR001', column = 'id';
    elsif before is null and number is distinct from last + 1 then
        raise exception 'Part % comes next.', last + 1 using errcode = 'CR001', column = 'part';
    elsif before is null and run.bytes + length(part) > 100000000 then
        raise exception 'A file has at most 100,000,000 bytes here; import a larger one at the command line.'
            using errcode = 'CR001', column = 'content';
    end if;
    if before is null then
        insert into import_parts (run_id, number, sha256, content) values (run.id, number, sha256(part), part);
        update import_runs r
        set bytes = r.bytes + length(part), received_at = now(),
            sha256 = case when number = 1 then encode(sha256(part), 'hex') else r.sha256 end
        where r.id = run.id;
    end if;
    if run.state = 'RECEIVING' and not more then
        update import_runs r
        set state = 'WAITING', sha256 = (select encode(sha256(string_agg(p.content, '' order by p.number)), 'hex')
                                         from import_parts p where p.run_id = run.id)
        where r.id = run.id;
    end if;
end
$$;
comment on function receive_part is
    'Keeps a part of a file. One that has come before is no error; after the last one the import waits for a server.';

create function start_import(
    format text, file text, content text, base64 boolean, more boolean, type text, source text, dated timestamptz,
    dry_run boolean) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_variable
declare
    made uuid;
begin
    -- It is the name of a file, and of no other place.
    if file is null or file !~ '^[^./\\[:cntrl:]][^/\\[:cntrl:]]*$' or octet_length(file) > 200 then
        raise exception '`file` is the name of a file: at most 200 bytes, no slashes, and no dot at its beginning.'
            using errcode = 'CR001', column = 'file';
    elsif source !~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$' then
        raise exception '`source` is a key: letters, digits, and - _ . between them, at most 80.'
            using errcode = 'CR001', column = 'source';
    elsif dated > now() then
        raise exception '`dated` has not come yet.' using errcode = 'CR001', column = 'dated';
    end if;
    perform pg_advisory_xact_lock(x'696d706f7274'::bigint);  -- "import": nobody else counts meanwhile
    update import_runs r
    set state = 'CANCELLED', finished_at = now(), error = 'No part came for a day.'
    where r.state = 'RECEIVING' and r.received_at < now() - interval '1 day';
    if (select count(*) from import_runs r where r.finished_at is null and r.started_by is not null) >= 20 then
        raise exception 'Twenty imports are under way already: wait for them, or cancel some.' using errcode = 'CR001';
    end if;
    insert into import_runs (kind, state, dry_run, file, sha256, actor, started_by, why, record_type, source_key, dated, bytes)
    values (format, 'RECEIVING', dry_run, file, encode(sha256(''), 'hex'), 'import:' || file,
            coalesce(nullif(current_setting('directory.actor', true), ''), 'unknown'),
            nullif(current_setting('directory.why', true), ''), type, source, dated, 0)
    returning id into made;
    perform receive_part(made, 1, content, base64, more);
    return made;
end
$$;
comment on function start_import is 'Begins an import with the first part of its file, or all of it.';

create function continue_import(id uuid, part integer, content text, base64 boolean, more boolean) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform receive_part(id, part, content, base64, more);
    return id;
end
$$;
comment on function continue_import is 'Takes another part of a file.';

create function cancel_import(id uuid) returns uuid
    language plpgsql security definer set search_path = public, pg_temp as $$
declare
    run import_runs;
begin
    select r.* into run from import_runs r where r.id = cancel_import.id for no key update;
    if run.id is null then
        raise exception 'There is no such import.' using errcode = 'CR001', column = 'id';
    elsif run.state = 'CANCELLED' then
        return run.id;
    elsif run.finished_at is not null then
        raise exception 'It is over already: it is %.', run.state using errcode = 'CR001', column = 'id';
    end if;
    -- Whoever is at work on it finds out when it notes what became of it, and undoes all.
    update import_runs r set state = 'CANCELLED', finished_at = greatest(now(), r.started_at) where r.id = run.id;
    return run.id;
end
$$;
comment on function cancel_import is 'Ends an import that is not over. Nothing of it is in the directory.';

revoke execute on function receive_part, start_import, continue_import, cancel_import, forget_parts from public;
