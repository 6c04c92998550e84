-- Updated is not verified: that somebody checked is an event of its own.

create table verifications (
    id                uuid primary key default gen_random_uuid(),
    institution_id    uuid references institutions,
    visitor_center_id uuid references visitor_centers,
    program_id        uuid references programs,
    offering_id       uuid references program_offerings,
    provider_id       uuid references providers,
    service_id        uuid references services,
    method            text not null check (method in ('PHONE', 'SITE_VISIT', 'WEBSITE', 'EMAIL', 'PARTNER_FEED', 'IMPORT')),
    outcome           text not null check (outcome in ('CONFIRMED', 'CHANGED', 'UNREACHABLE', 'CLOSED')),
    verified_at       timestamptz not null,
    next_due_at       timestamptz,
    note              text,
    created_at        timestamptz not null default now(),
    check (num_nonnulls(institution_id, visitor_center_id, program_id, offering_id, provider_id, service_id) = 1),
    check (next_due_at > verified_at)
);
create index on verifications (verified_at desc, id desc);
create index on verifications (institution_id, verified_at desc, id desc) where institution_id is not null;
create index on verifications (visitor_center_id, verified_at desc, id desc) where visitor_center_id is not null;
create index on verifications (program_id, verified_at desc, id desc) where program_id is not null;
create index on verifications (offering_id, verified_at desc, id desc) where offering_id is not null;
create index on verifications (provider_id, verified_at desc, id desc) where provider_id is not null;
create index on verifications (service_id, verified_at desc, id desc) where service_id is not null;
create trigger append_only before update or delete on verifications
    for each row execute function refuse_rewriting();
create trigger append_only_whole before truncate on verifications
    for each statement execute function refuse_rewriting();
comment on table verifications is
    'Somebody checked a record: how, when, with what outcome; append-only. HSDS 3: service.assured_date, and metadata.';
comment on column verifications.note is 'What was found. Never who the caller was, nor whom they asked.';
