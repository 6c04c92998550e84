-- Holidays on which prisons receive visitors as on a weekend: a day of a month, or its nth weekday.

create table visiting_holidays (
    code             text primary key check (code ~ '^[A-Z][A-Z_]*$'),
    label_en         text not null check (label_en <> ''),
    label_es         text,
    month            integer not null check (month between 1 and 12),
    day              integer check (day between 1 and 31),
    week             integer check (week between 1 and 5),
    weekday          text check (weekday in ('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (num_nonnulls(day, week) = 1 and (week is null) = (weekday is null))
);
create index on visiting_holidays (month, code);
create index on visiting_holidays (source_id);
comment on table visiting_holidays is
    'A day on which visiting is held beside the weekends. HSDS 3: schedule (freq YEARLY is not in it).';
