-- What our texts say in Spanish where their sources are in English only, and what words of enums
-- are called.

create table enums (
    name             text primary key check (name ~ '^[A-Z][A-Za-z0-9]*$'),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null))
);
create index on enums (source_id);
comment on table enums is 'An enum of the schema. HSDS 3: taxonomy.';

create table enum_values (
    key              text primary key,
    enum_name        text not null references enums,
    value            text not null check (value ~ '^[A-Z][A-Z0-9_]*$'),
    place            integer not null check (place > 0),
    label            text not null check (label <> ''),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (key = enum_name || '.' || value),
    check ((source_date is null) = (source_date_precision is null))
);
create index on enum_values (enum_name, place, key);
create index on enum_values (source_id);
comment on table enum_values is 'A value of an enum, and what people call it. HSDS 3: taxonomy_term.';

create table translations (
    id                       uuid primary key default gen_random_uuid(),
    institution_id           uuid references institutions,
    visiting_status_id       uuid references visiting_statuses,
    visitor_center_id        uuid references visitor_centers,
    visiting_fact_key        text references visiting_facts,
    program_id               uuid references programs,
    reentry_program_id       uuid references reentry_programs,
    service_id               uuid references services,
    category_code            text references categories,
    activity_group_type_code text references activity_group_types,
    enum_value_key           text references enum_values,
    field            text not null check (field ~ '^[a-z][A-Za-z]*$'),
    language         text not null check (language in ('EN', 'ES')),
    original         text not null check (original <> ''),
    text             text not null check (text <> ''),
    method           text not null check (method in ('HUMAN', 'MACHINE')),
    reviewed_at      timestamptz,
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (language <> 'EN'),
    check ((source_date is null) = (source_date_precision is null)),
    check (num_nonnulls(institution_id, visiting_status_id, visitor_center_id, visiting_fact_key, program_id,
                        reentry_program_id, service_id, category_code, activity_group_type_code, enum_value_key) = 1)
);
-- One text of a record has one translation into a language.
create unique index on translations (institution_id, field, language) where institution_id is not null;
create unique index on translations (visiting_status_id, field, language) where visiting_status_id is not null;
create unique index on translations (visitor_center_id, field, language) where visitor_center_id is not null;
create unique index on translations (visiting_fact_key, field, language) where visiting_fact_key is not null;
create unique index on translations (program_id, field, language) where program_id is not null;
create unique index on translations (reentry_program_id, field, language) where reentry_program_id is not null;
create unique index on translations (service_id, field, language) where service_id is not null;
create unique index on translations (category_code, field, language) where category_code is not null;
create unique index on translations (activity_group_type_code, field, language)
    where activity_group_type_code is not null;
create unique index on translations (enum_value_key, field, language) where enum_value_key is not null;
create index on translations (field, language, id);
create index on translations (method, field, language, id);
create index on translations (reviewed_at, field, language, id);
create index on translations (source_id);
comment on table translations is
    'A text of a record in another language, how it came into it and whether anybody read it since. HSDS 3 has no translated texts.';
comment on column translations.field is 'What the text is called in the schema, such as statusNote.';
comment on column translations.original is
    'What was translated. When the record says something else by now, the translation no longer counts.';
