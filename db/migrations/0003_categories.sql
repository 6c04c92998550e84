-- What help is called: one tree of categories for services and programs, so that one word finds both.

create table categories (
    code                 text primary key check (code ~ '^[A-Z][A-Z0-9_]*$'),
    vocabulary           text not null check (vocabulary in ('DIRECTORY', 'PROGRAM')),
    label_en             text not null check (label_en <> ''),
    label_es             text,
    parent_code          text references categories check (parent_code <> code),
    open_eligibility_ids text[] not null default '{}',
    source_id            uuid not null references sources,
    source_record_id     text,
    retrieved_at         date,
    created_at           timestamptz not null default now(),
    updated_at           timestamptz not null default now()
);
create index on categories (label_en, code);
create index on categories (parent_code, label_en, code);
create index on categories (source_id);
comment on table categories is 'A kind of help. HSDS 3: taxonomy_term, hung on services and programs by attribute.';
comment on column categories.vocabulary is
    'DIRECTORY: the categories of the CDCR directory. PROGRAM: classes that only programs use.';
comment on column categories.open_eligibility_ids is
    'The nearest terms of Open Eligibility 2.0 (CC BY-SA 3.0); the mapping is ours.';

create table activity_group_types (
    code             text primary key check (code ~ '^[A-Z][A-Z0-9_]*$'),
    label            text not null unique,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now()
);
create index on activity_group_types (label, code);
create index on activity_group_types (source_id);
comment on table activity_group_types is
    'One of CDCR''s classes of Inmate Activity Groups. HSDS 3: taxonomy_term of a second taxonomy.';
