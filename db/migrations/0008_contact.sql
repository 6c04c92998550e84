-- How to reach somebody, and when. Each row has exactly one owner, and its foreign key says which.

create table phones (
    id                     uuid primary key,
    number                 text not null check (number ~ '^\+[1-9][0-9]{6,14}$'),
    extension              text check (extension ~ '^[0-9]{1,10}$'),
    kind                   text not null check (kind in ('VOICE', 'TTY', 'TEXT', 'FAX', 'TOLL_FREE', 'HOTLINE')),
    purpose                text,
    institution_id         uuid references institutions,
    visitor_center_id      uuid references visitor_centers,
    provider_id            uuid references providers,
    service_id             uuid references services,
    location_id            uuid references locations,
    service_at_location_id uuid references services_at_locations,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (num_nonnulls(institution_id, visitor_center_id, provider_id, service_id, location_id,
                        service_at_location_id) = 1)
);
create index on phones (institution_id, number, id) where institution_id is not null;
create index on phones (visitor_center_id, number, id) where visitor_center_id is not null;
create index on phones (provider_id, number, id) where provider_id is not null;
create index on phones (service_id, number, id) where service_id is not null;
create index on phones (location_id, number, id) where location_id is not null;
create index on phones (service_at_location_id, number, id) where service_at_location_id is not null;
create index on phones (source_id);
comment on table phones is 'A telephone number, in E.164. HSDS 3: phone.';
comment on column phones.purpose is 'What the line is for, where it is not the main one. HSDS 3: phone.description.';

create table schedules (
    id                     uuid primary key,
    institution_id         uuid references institutions,
    visitor_center_id      uuid references visitor_centers,
    service_id             uuid references services,
    service_at_location_id uuid references services_at_locations,
    kind                   text not null default 'REGULAR' check (kind in ('REGULAR', 'SEASONAL', 'HOLIDAY')),
    description            text,
    timezone               text not null default 'America/Los_Angeles' check (timezone ~ '^[A-Za-z_]+(/[A-Za-z_+-]+)+$'),
    opens_at               time,
    closes_at              time,
    freq                   text check (freq in ('WEEKLY', 'MONTHLY')),
    "interval"             integer not null default 1 check ("interval" > 0),
    byday                  text check (byday ~ '^([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU))*$'),
    bymonthday             text check (bymonthday ~ '^-?[1-9][0-9]?(,-?[1-9][0-9]?)*$'),
    byweekno               text check (byweekno ~ '^-?[1-9][0-9]?(,-?[1-9][0-9]?)*$'),
    byyearday              text check (byyearday ~ '^-?[1-9][0-9]{0,2}(,-?[1-9][0-9]{0,2})*$'),
    wkst                   text check (wkst in ('MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU')),
    dtstart                date,
    until                  date,
    count                  integer check (count > 0),
    valid_from             date,
    valid_to               date,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (num_nonnulls(institution_id, visitor_center_id, service_id, service_at_location_id) = 1),
    check ((opens_at is null) = (closes_at is null)),
    check (until is null or count is null),
    check (dtstart is null or until is null or dtstart <= until),
    check (valid_from is null or valid_to is null or valid_from <= valid_to),
    check (freq is not null or (byday is null and bymonthday is null and byweekno is null and byyearday is null))
);
create index on schedules (institution_id, kind, opens_at, id) where institution_id is not null;
create index on schedules (visitor_center_id, kind, opens_at, id) where visitor_center_id is not null;
create index on schedules (service_id, kind, opens_at, id) where service_id is not null;
create index on schedules (service_at_location_id, kind, opens_at, id) where service_at_location_id is not null;
create index on schedules (source_id);
comment on table schedules is
    'One recurrence of opening hours, as the parts of an RRULE (RFC 5545). HSDS 3: schedule, whose UTC offset cannot say daylight saving: we keep the zone.';
comment on column schedules.freq is 'Null where hours are known but their days are only in the description.';
comment on column schedules.closes_at is 'Earlier than opens_at means on the next day.';
comment on column schedules.valid_from is 'How long the information is good; until is when the service ends.';

create table schedule_exceptions (
    id                     uuid primary key,
    institution_id         uuid references institutions,
    visitor_center_id      uuid references visitor_centers,
    service_id             uuid references services,
    service_at_location_id uuid references services_at_locations,
    starts_on              date not null,
    ends_on                date not null,
    closed                 boolean not null,
    opens_at               time,
    closes_at              time,
    reason                 text,
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check (num_nonnulls(institution_id, visitor_center_id, service_id, service_at_location_id) = 1),
    check (starts_on <= ends_on),
    check (closed = (opens_at is null) and closed = (closes_at is null)),
    -- Two exceptions for one day would be two answers to one question.
    exclude using gist (
        (coalesce(institution_id, visitor_center_id, service_id, service_at_location_id)) with =,
        daterange(starts_on, ends_on, '[]') with &&)
);
create index on schedule_exceptions (institution_id, starts_on, id) where institution_id is not null;
create index on schedule_exceptions (visitor_center_id, starts_on, id) where visitor_center_id is not null;
create index on schedule_exceptions (service_id, starts_on, id) where service_id is not null;
create index on schedule_exceptions (service_at_location_id, starts_on, id) where service_at_location_id is not null;
create index on schedule_exceptions (source_id);
comment on table schedule_exceptions is
    'Days on which the rule does not hold. HSDS 3 has no such object: schedule with valid_from and valid_to.';
