-- Where what we say comes from: every public row points to one of these sources.

create extension if not exists pg_trgm;     -- `contains` and `startsWith` by index
create extension if not exists btree_gist;  -- periods of one owner that may not overlap

create table sources (
    id                  uuid primary key,
    key                 text not null unique check (key ~ '^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$'),
    name                text not null check (name <> ''),
    publisher           text,
    url                 text check (url ~ '^https?://'),
    repository          text,
    path                text,
    repository_commit   text check (repository_commit ~ '^[0-9a-f]{40}$'),
    data_date           date,
    data_date_precision text check (data_date_precision in ('DAY', 'MONTH', 'YEAR')),
    licence             text,
    coverage            text,
    known_gaps          text,
    synthetic           boolean not null default false,
    created_at          timestamptz not null default now(),
    updated_at          timestamptz not null default now(),
    check ((data_date is null) = (data_date_precision is null))
);
comment on table sources is
    'A publication that facts were taken from. HSDS 3: metadata (the provenance of any object), attribute.';
comment on column sources.key is
    'A publisher''s data set has a key of its own; a citation has one made of its text.';
comment on column sources.licence is 'As the source states it; null where it states none.';
comment on column sources.synthetic is 'True for rows invented for benchmarks, never for a real place.';

create table imports (
    id             uuid primary key,
    source_id      uuid not null references sources,
    file           text not null,
    sha256         text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    rows_read      integer not null check (rows_read >= 0),
    rows_inserted  integer not null check (rows_inserted >= 0),
    rows_changed   integer not null check (rows_changed >= 0),
    rows_unchanged integer not null check (rows_unchanged >= 0),
    rows_rejected  integer not null check (rows_rejected >= 0),
    imported_at    timestamptz not null default now(),
    check (rows_read = rows_inserted + rows_changed + rows_unchanged + rows_rejected)
);
create index on imports (source_id, imported_at desc, id desc);
create index on imports (imported_at desc, id desc);
create index on imports (file);
comment on table imports is
    'What one load took from one file for one source. A load that changes nothing leaves no row. HSDS 3: metadata.';
comment on column imports.sha256 is 'Of the whole file, which may carry rows of several sources.';
