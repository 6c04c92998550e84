-- Operations that are known before anybody sends them: an app's own, under the hash of their text.

create table trusted_documents (
    hash        text primary key check (hash = encode(sha256(convert_to(text, 'UTF8')), 'hex')),
    text        text not null check (text <> ''),
    name        text,
    created_at  timestamptz not null default now()
);
comment on table trusted_documents is
    'An operation that a client may ask by its hash alone. HSDS 3 has no such object.';
comment on column trusted_documents.hash is 'SHA-256 of the text in UTF-8, as 64 hexadecimal digits.';
