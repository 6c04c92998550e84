-- What partners, and feeds, would change: staff see how it differs from what is said, and decide.

create table proposals (
    id          uuid primary key default gen_random_uuid(),
    status      text not null default 'PENDING'
                check (status in ('PENDING', 'ACCEPTED', 'PARTLY_ACCEPTED', 'REJECTED', 'WITHDRAWN')),
    origin      text not null check (origin in ('PARTNER', 'FEED')),
    record_type text not null,
    record_key  text not null,
    record_id   text not null generated always as (record_type || ':' || record_key) stored,
    steps       jsonb not null check (jsonb_typeof(steps) = 'object'),
    provider_id uuid references providers on delete set null check (provider_id is null or origin = 'PARTNER'),
    proposer    text not null,
    why         text,
    decided_by  text,
    decided_at  timestamptz check ((decided_at is null) = (status = 'PENDING')),
    decision    text,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now()
);
create index on proposals (created_at, id);
create index on proposals (status, created_at, id);
create index on proposals (provider_id, created_at, id);
create index on proposals (record_id);
-- One feed says one thing about a record at a time.
create unique index on proposals (record_type, record_key, proposer) where status = 'PENDING' and origin = 'FEED';
comment on table proposals is 'What somebody would change who may not, until staff decide. HSDS 3 has no such object.';
comment on column proposals.steps is
    'The rows to be written: {steps: [{deed, table, key, path, version, owner, owner_key, values: {field: {column, value}}}], ties: [...]}.';
comment on column proposals.provider_id is 'The organization that proposes it; null for a feed, and if it has left the directory.';
comment on column proposals.proposer is 'Who proposed it: the name on a key or a token, or a feed''s source.';
comment on column proposals.decision is 'Why it was decided so, for whoever proposed it.';

-- The organization somebody speaks for is told by the server, for each transaction that reads this.
create view own_proposals with (security_barrier) as
    select * from proposals where provider_id::text = current_setting('directory.speaks_for', true);
comment on view own_proposals is 'The proposals of the organization in the setting directory.speaks_for; nobody''s, if it is not set.';

create function propose(record_type text, record_key text, steps jsonb, why text) returns uuid language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    speaks_for text := current_setting('directory.speaks_for', true);
    made       uuid;
begin
    if record_type <> 'Provider' or record_key is distinct from speaks_for then
        raise exception 'Only changes to the organization that you speak for can be proposed'
            using errcode = 'CR001', column = 'id';
    end if;
    if not exists (select from providers p where p.id::text = record_key) then
        raise exception 'There is no such record here' using errcode = 'CR001', column = 'id';
    end if;
    if (select count(*) from proposals p where p.provider_id::text = speaks_for and p.status = 'PENDING') >= 100 then
        raise exception 'A hundred proposals of yours wait for a decision already' using errcode = 'CR001';
    end if;
    insert into proposals (origin, record_type, record_key, steps, provider_id, proposer, why)
        values ('PARTNER', record_type, record_key, steps, speaks_for::uuid,
                coalesce(nullif(current_setting('directory.actor', true), ''), 'unknown'), why)
        returning id into made;
    return made;
end
$$;
comment on function propose is 'Proposes changes to a record of the organization in the setting directory.speaks_for.';

create function decide_proposal(id uuid, status text, decision text) returns uuid language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    update proposals p
        set status = decide_proposal.status, decision = decide_proposal.decision, updated_at = now(), decided_at = now(),
            decided_by = nullif(current_setting('directory.actor', true), '')
        where p.id = decide_proposal.id and p.status = 'PENDING';
    if not found then
        if exists (select from proposals p where p.id = decide_proposal.id) then
            raise exception 'This has been decided already' using errcode = 'CR001', column = 'id';
        end if;
        raise exception 'There is no such proposal' using errcode = 'CR001', column = 'id';
    end if;
    return decide_proposal.id;
end
$$;
comment on function decide_proposal is 'Decides a proposal that waits for it, once and for all.';

create function reject_proposal(id uuid, decision text) returns uuid language sql
    security definer set search_path = public, pg_temp
begin atomic
    select decide_proposal(id, 'REJECTED', decision);
end;
comment on function reject_proposal is 'Rejects a proposal, with the reason for whoever proposed it.';

create function withdraw_proposal(id uuid) returns uuid language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    if not exists (select from own_proposals p where p.id = withdraw_proposal.id) then
        raise exception 'There is no such proposal' using errcode = 'CR001', column = 'id';
    end if;
    return decide_proposal(id, 'WITHDRAWN', null);
end
$$;
comment on function withdraw_proposal is 'Takes a proposal of one''s own back.';

-- Locks a proposal that waits for a decision, and answers with what it would do.
create function proposed_steps(id uuid) returns jsonb language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    found proposals;
begin
    select p.* into found from proposals p where p.id = proposed_steps.id for update;
    if found.id is null then
        raise exception 'There is no such proposal' using errcode = 'CR001', column = 'id';
    elsif found.status <> 'PENDING' then
        raise exception 'This has been decided already' using errcode = 'CR001', column = 'id';
    end if;
    return found.steps || jsonb_build_object('why', found.why, 'proposer', found.proposer);
end
$$;
comment on function proposed_steps is 'What a proposal would do, locked until the end of the transaction.';
-- What a feed says of a record that people know better, as one proposal for as long as it waits. What
-- staff have rejected is not proposed again.
create function propose_from_feed(recorded text, key text, said jsonb, feed text) returns void language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    id      name := (select a.attname from pg_index i
                     join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                     where i.indrelid = to_regclass(quote_ident(recorded)) and i.indisprimary);
    seen    integer;
    would   jsonb;
begin
    execute format('select version from %I t where t.%I::text = $1', recorded, id) into seen using key;
    would := jsonb_build_object('ties', '[]'::jsonb, 'steps', jsonb_build_array(jsonb_build_object(
        'deed', 'UPDATE', 'type', type_called(recorded), 'table', recorded, 'key_column', id, 'key', key,
        'path', '[]'::jsonb, 'version', seen, 'owner', null, 'owner_key', null,
        'values', (select jsonb_object_agg(
                       lower(left(v.key, 1)) || substr(replace(initcap(replace(v.key, '_', ' ')), ' ', ''), 2),
                       jsonb_build_object('column', v.key, 'value', v.value, 'form', ''))
                   from jsonb_each(said) v))));
    insert into proposals as p (origin, record_type, record_key, steps, proposer, why)
    select 'FEED', type_called(recorded), key, would, feed, 'It says something else than people do.'
    where not exists (
        select from proposals r where r.status = 'REJECTED' and r.record_type = type_called(recorded)
            and r.record_key = propose_from_feed.key and r.proposer = feed
            and r.steps #> '{steps,0,values}' = would #> '{steps,0,values}')
    on conflict (record_type, record_key, proposer) where status = 'PENDING' and origin = 'FEED'
        do update set steps = excluded.steps, updated_at = now()
        where p.steps is distinct from excluded.steps;
end
$$;
comment on function propose_from_feed is 'Proposes what a feed says of a record that people have changed or checked since.';
revoke execute on function propose_from_feed, propose, decide_proposal, reject_proposal, withdraw_proposal, proposed_steps from public;

-- How what is proposed differs from what is said now. Only of records that belong where the proposal
-- says that they do: what belongs to others is none of its business.
create function proposed_differences(steps jsonb)
    returns table (path text, deed text, record_id text, field text, old_value jsonb, new_value jsonb, changed_since boolean)
    language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
    step jsonb;
    now_ jsonb;
    seen jsonb;
begin
    for step in select value from jsonb_array_elements(steps -> 'steps') loop
        now_ := null;
        seen := null;
        if step ->> 'deed' <> 'CREATE' then
            execute format('select to_jsonb(t) from %I t where t.%I::text = $1 %s', step ->> 'table', step ->> 'key_column',
                case when step ->> 'owner' is null then '' else format('and t.%I::text = $2', step ->> 'owner') end)
                into now_ using step ->> 'key', step ->> 'owner_key';
            seen := version_of(step ->> 'table', step ->> 'key', (step ->> 'version')::integer);
        end if;
        if step ->> 'deed' = 'ARCHIVE' then
            return query select array_to_string(array(select jsonb_array_elements_text(step -> 'path')), '.'), step ->> 'deed',
                (step ->> 'type') || ':' || (step ->> 'key'), null::text, null::jsonb, null::jsonb, false;
            continue;
        end if;
        return query
            select array_to_string(array(select jsonb_array_elements_text(step -> 'path'))
                       || case when step ->> 'deed' = 'UPDATE' then array[v.key] else '{}' end, '.'),
                   step ->> 'deed',
                   case when step ->> 'deed' <> 'CREATE' then (step ->> 'type') || ':' || (step ->> 'key') end,
                   v.key, spelled(now_ -> (v.value ->> 'column'), coalesce(v.value ->> 'form', '')),
                   spelled(v.value -> 'value', coalesce(v.value ->> 'form', '')),
                   seen is not null and seen -> (v.value ->> 'column') is distinct from now_ -> (v.value ->> 'column')
            from jsonb_each(step -> 'values') v
            where step ->> 'deed' = 'CREATE' or now_ is null
                or spelled(now_ -> (v.value ->> 'column'), coalesce(v.value ->> 'form', ''))
                   is distinct from spelled(v.value -> 'value', coalesce(v.value ->> 'form', ''));
    end loop;
    return query
        select array_to_string(array(select jsonb_array_elements_text(t.value -> 'path')), '.'),
               case when (t.value ->> 'there')::boolean then 'ADD' else 'REMOVE' end, null::text,
               t.value ->> 'field', null::jsonb, to_jsonb((t.value ->> 'form') || (t.value ->> 'far')), false
        from jsonb_array_elements(steps -> 'ties') t;
end
$$;
comment on function proposed_differences is
    'What a proposal would change: the path to it, what is said now and what would be, and whether it was changed since.';
