-- Who may ask for more than the public: keys for programs, of which only the hash is kept.

create table api_keys (
    id          uuid primary key default gen_random_uuid(),
    name        text not null check (name <> ''),
    role        text not null check (role in ('PARTNER', 'STAFF', 'ADMIN')),
    scopes      text[] not null default '{READ}' check (scopes <@ array['READ', 'WRITE', 'EXPORT']),
    provider_id uuid references providers,
    hash        bytea not null unique check (length(hash) = 32),
    ending      text not null check (length(ending) = 4),
    budget      integer check (budget > 0),
    created_at  timestamptz not null default now(),
    expires_at  timestamptz check (expires_at > created_at),
    revoked_at  timestamptz check (revoked_at >= created_at)
);
create index on api_keys (name, id);
create index on api_keys (provider_id);
comment on table api_keys is 'A key with which a program says who it is. HSDS 3 has no such object.';
comment on column api_keys.hash is 'SHA-256 of the key, which is long and random and was shown once.';
comment on column api_keys.ending is 'The last four characters of the key, to know it by.';
comment on column api_keys.budget is 'How many requests it may send per minute to one server; null: as many as it likes.';
comment on column api_keys.provider_id is 'The organization whose records a partner may propose to change.';

-- Everybody may ask who a key is, and learns it only who has the key.
create function key_holder(hash bytea) returns json
    language sql stable security definer set search_path = public, pg_temp
begin atomic
    select json_build_object('id', k.id, 'name', k.name, 'role', k.role, 'scopes', k.scopes,
                             'provider', k.provider_id, 'budget', k.budget,
                             'seconds', extract(epoch from k.expires_at - now()))
    from api_keys k
    where k.hash = key_holder.hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
end;
comment on function key_holder is 'Who holds the key with this hash; null if nobody does, or no longer.';
