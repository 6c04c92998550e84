-- How far to trust a record: where it comes from, and when that was so.

-- Every row says how old its source's data is, as providers, institutions and centers already do.
do $$
declare
    sourced regclass;
begin
    foreach sourced in array array[
        'counties', 'locations', 'categories', 'activity_group_types', 'services',
        'services_at_locations', 'population_counts', 'visiting_statuses', 'visitor_amenities',
        'visiting_facts', 'visiting_holidays', 'programs', 'program_offerings', 'reentry_programs',
        'phones', 'schedules', 'schedule_exceptions']::regclass[]
    loop
        execute format($sql$
            alter table %s
                add source_date date,
                add source_date_precision text
                    check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
                add check ((source_date is null) = (source_date_precision is null))
            $sql$, sourced);
    end loop;
end
$$;

create or replace view current_population_counts as
    select distinct on (institution_id) *
    from population_counts
    order by institution_id, month desc;

create or replace view current_visiting_statuses as
    select distinct on (institution_id, visit_type) *
    from visiting_statuses
    order by institution_id, visit_type, last_updated desc, created_at desc, id;

create function source_url(source_id uuid) returns text
    language sql stable strict parallel safe
    return (select url from sources where id = source_id);
comment on function source_url is 'Where a source can be read, if its citation names a page.';

create function source_licence(source_id uuid) returns text
    language sql stable strict parallel safe
    return (select licence from sources where id = source_id);
comment on function source_licence is 'The terms of a source, in its own words; null where it states none.';

-- What a row keeps of other tables, so that an index serves it: who last verified it, whether lists
-- show it. A trigger before the row works it out anew whenever the row is written, from what is true
-- then; whoever changes what it depends on writes the row as it is, which is called to touch it.
-- Nobody else can set these columns.

create function touch() returns trigger language plpgsql as $$
declare
    n integer := 0;
begin
    while n < tg_nargs loop
        execute format('update %I set id = id where %I in (select %s from changed %s)',
                       tg_argv[n], tg_argv[n + 1], tg_argv[n + 2],
                       case tg_op when 'UPDATE' then format('union all select %s from was', tg_argv[n + 2]) end);
        n := n + 3;
    end loop;
    return null;
end
$$;
comment on function touch is
    'Rows that keep something of the changed rows work it out anew. Arguments, in threes: the table that keeps it, its column, and what that column is, of a changed row.';

create function touches(changing text, variadic keeping text[]) returns void language plpgsql as $$
declare
    arguments text := (select string_agg(quote_literal(argument), ', ') from unnest(keeping) argument);
begin
    execute format('create trigger touch_inserted after insert on %I referencing new table as changed
                    for each statement execute function touch(%s)', changing, arguments);
    execute format('create trigger touch_updated after update on %I referencing old table as was new table as changed
                    for each statement execute function touch(%s)', changing, arguments);
    execute format('create trigger touch_deleted after delete on %I referencing old table as changed
                    for each statement execute function touch(%s)', changing, arguments);
end
$$;
comment on function touches is 'For migrations: changes of a table touch the rows of others. Arguments as those of touch.';

-- Freshness: updated is not verified. Only an event says that somebody checked.

create table freshness_thresholds (
    kind       text primary key check (kind in (
                   'INSTITUTION', 'VISITOR_CENTER', 'PROGRAM', 'OFFERING', 'PROVIDER', 'SERVICE', 'VISITING_STATUS')),
    fresh_days integer not null check (fresh_days > 0),
    aging_days integer not null check (aging_days > fresh_days)
);
comment on table freshness_thresholds is
    'For how long a record is as good as checked. HSDS 3 has no such object: service.assured_date says when, not for how long.';
comment on column freshness_thresholds.fresh_days is 'FRESH for so many days of 24 hours, to the last moment.';
comment on column freshness_thresholds.aging_days is 'After that AGING, and STALE after so many days.';
insert into freshness_thresholds (kind, fresh_days, aging_days) values
    ('INSTITUTION', 180, 365),    -- a prison does not move
    ('PROGRAM', 180, 365),
    ('OFFERING', 180, 365),       -- terms and contracts run for half a year or longer
    ('VISITOR_CENTER', 90, 180),
    ('PROVIDER', 90, 180),
    ('SERVICE', 90, 180),
    ('VISITING_STATUS', 7, 30);   -- it changes with every lockdown; counted from what its publisher says

alter table verifications
    add owner_id uuid not null generated always as (
        coalesce(institution_id, visitor_center_id, program_id, offering_id, provider_id, service_id)) stored;
create index on verifications (owner_id, verified_at desc, created_at desc, id desc);
comment on column verifications.owner_id is 'The record that was checked, of whatever kind.';

create function keep_freshness() returns trigger language plpgsql as $$
declare
    finding verifications;
    days    freshness_thresholds;
    due     timestamptz;
begin
    if tg_op = 'UPDATE' then  -- an event points to its record, so a new record has none yet
        -- To have reached nobody is not to have checked.
        select * into finding from verifications
        where owner_id = new.id and outcome <> 'UNREACHABLE'
        order by verified_at desc, created_at desc, id desc limit 1;
        select next_due_at into due from verifications
        where owner_id = new.id and next_due_at is not null
          and (finding.id is null
               or (verified_at, created_at, id) >= (finding.verified_at, finding.created_at, finding.id))
        order by verified_at desc, created_at desc, id desc limit 1;
    end if;
    select * into days from freshness_thresholds where kind = tg_argv[0];
    new.verified_at := finding.verified_at;
    new.verification_method := finding.method;
    new.verification_outcome := finding.outcome;
    if finding.outcome = 'CLOSED' then
        -- Whatever the record says, it was found not to hold.
        new.fresh_until := '-infinity';
        new.aging_until := '-infinity';
        new.verification_due_at := due;
    else
        new.fresh_until := finding.verified_at + make_interval(hours => 24 * days.fresh_days);
        new.aging_until := finding.verified_at + make_interval(hours => 24 * days.aging_days);
        new.verification_due_at := coalesce(due, new.fresh_until);
        if finding.next_due_at < new.fresh_until then
            new.fresh_until := finding.next_due_at;
        end if;
    end if;
    return new;
end
$$;
comment on function keep_freshness is
    'The newest finding of those who checked, how long it is good for, and when the next is due. Argument: the kind in freshness_thresholds.';

create function refresh_freshness() returns trigger language plpgsql as $$
begin
    update institutions set id = id where verified_at is not null;
    update visitor_centers set id = id where verified_at is not null;
    update programs set id = id where verified_at is not null;
    update program_offerings set id = id where verified_at is not null;
    update providers set id = id where verified_at is not null;
    update services set id = id where verified_at is not null;
    return null;
end
$$;
create trigger refresh_freshness after update on freshness_thresholds
    for each statement execute function refresh_freshness();

do $$
declare
    owner record;
begin
    for owner in values ('INSTITUTION', 'institutions'), ('VISITOR_CENTER', 'visitor_centers'), ('PROGRAM', 'programs'),
                        ('OFFERING', 'program_offerings'), ('PROVIDER', 'providers'), ('SERVICE', 'services')
    loop
        execute format($sql$
            alter table %1$I
                add verified_at timestamptz,
                add verification_method text check (verification_method in (
                    'PHONE', 'SITE_VISIT', 'WEBSITE', 'EMAIL', 'PARTNER_FEED', 'IMPORT')),
                add verification_outcome text check (verification_outcome in (
                    'CONFIRMED', 'CHANGED', 'UNREACHABLE', 'CLOSED')),
                add verification_due_at timestamptz,
                add fresh_until timestamptz,
                add aging_until timestamptz,
                add check (num_nulls(verified_at, verification_method, verification_outcome, fresh_until, aging_until)
                           in (0, 5));
            create index on %1$I (verified_at, id);
            create index on %1$I (verification_due_at) where verification_due_at is not null;
            comment on column %1$I.verified_at is
                'Kept: when it was last checked by somebody who reached anybody. HSDS 3: service.assured_date.';
            comment on column %1$I.verification_due_at is 'Kept: when the next check is due, as stated or as it follows.';
            comment on column %1$I.fresh_until is 'Kept: to the last moment at which it is FRESH; -infinity if it was found closed.';
            comment on column %1$I.aging_until is 'Kept: to the last moment at which it is not yet STALE.';
            create trigger keep_freshness before insert or update on %1$I
                for each row execute function keep_freshness(%2$L);
            -- The last one: what was touched and is as it was is not written.
            create trigger zz_unchanged before update on %1$I
                for each row execute function suppress_redundant_updates_trigger();
            $sql$, owner.column2, owner.column1);
    end loop;
end
$$;
create index on institutions (aging_until, fresh_until);
create index on visitor_centers (aging_until, fresh_until);
create index on programs (aging_until, fresh_until);
create index on program_offerings (aging_until, fresh_until);

select touches('verifications',
    'institutions', 'id', 'institution_id', 'visitor_centers', 'id', 'visitor_center_id',
    'programs', 'id', 'program_id', 'program_offerings', 'id', 'offering_id',
    'providers', 'id', 'provider_id', 'services', 'id', 'service_id');

create function freshness_state(fresh_until timestamptz, aging_until timestamptz) returns text
    language sql stable parallel safe
    return case when aging_until is null then 'NEVER_VERIFIED'
                when fresh_until >= clock() then 'FRESH'
                when aging_until >= clock() then 'AGING'
                else 'STALE' end;
comment on function freshness_state is 'How far the last check of a record can be trusted now.';

create function freshness_among(fresh_until timestamptz, aging_until timestamptz, states text[]) returns boolean
    language sql stable parallel safe
    return ('FRESH' = any (states) and aging_until >= clock() and fresh_until >= clock())
        or ('AGING' = any (states) and aging_until >= clock() and fresh_until < clock())
        or ('STALE' = any (states) and aging_until < clock())
        or ('NEVER_VERIFIED' = any (states) and aging_until is null);
comment on function freshness_among is
    'Whether freshness_state is one of these, put so that an index on (aging_until, fresh_until) finds the rows.';

create function visiting_status_freshness(last_updated timestamptz) returns text
    language sql stable parallel safe
    return (select case when clock() <= last_updated + make_interval(hours => 24 * fresh_days) then 'FRESH'
                        when clock() <= last_updated + make_interval(hours => 24 * aging_days) then 'AGING'
                        else 'STALE' end
            from freshness_thresholds where kind = 'VISITING_STATUS');
comment on function visiting_status_freshness is
    'How old a status is, counted from when its publisher changed it: nobody else knows whether visiting is on.';

-- What lists show. What is closed is found by its name, its key or its status, and says so.

alter table services
    add alert text,
    add listed boolean not null generated always as (coalesce(status, 'ACTIVE') = 'ACTIVE') stored;
comment on column services.alert is 'What people should know before they set out. HSDS 3: service.alert.';
comment on column services.listed is 'Lists show what is on offer, and what nobody said is not.';

alter table visitor_centers
    add listed boolean not null generated always as (status <> 'DEFUNCT') stored;
comment on column visitor_centers.listed is
    'A prison has one center: that it is closed today, and why, is what its visitors have to see. Only what is gone for good is not listed.';

alter table providers add listed boolean not null default true;
comment on column providers.listed is
    'Kept: lists do not show who has services, none of which is listed, and neither a center nor a program.';

create function keep_listed_provider() returns trigger language plpgsql as $$
begin
    new.listed := not exists (select from services where provider_id = new.id)
        or exists (select from services where provider_id = new.id and listed)
        or exists (select from visitor_centers where operator_id = new.id and listed)
        or exists (select from programs where operator_id = new.id);
    return new;
end
$$;
create trigger keep_listed before insert or update on providers
    for each row execute function keep_listed_provider();

alter table services_at_locations add listed boolean not null default true;
comment on column services_at_locations.listed is 'Kept: that of its service.';

create function keep_listed_service_at_location() returns trigger language plpgsql as $$
begin
    new.listed := coalesce((select listed from services where id = new.service_id), true);
    return new;
end
$$;
create trigger keep_listed before insert or update on services_at_locations
    for each row execute function keep_listed_service_at_location();
create trigger zz_unchanged before update on services_at_locations
    for each row execute function suppress_redundant_updates_trigger();

select touches('services', 'providers', 'id', 'provider_id', 'services_at_locations', 'service_id', 'id');
select touches('visitor_centers', 'providers', 'id', 'operator_id');
select touches('programs', 'providers', 'id', 'operator_id');

create view listed_services as select id, provider_id from services where listed;
comment on view listed_services is 'The services that lead from one record to another.';

-- The lists of large tables are read and counted from an index alone, so it says what is listed.
drop index services_name_id_idx, services_provider_id_name_id_idx, services_county_fips_name_id_idx,
    services_at_locations_service_id_id_idx, services_at_locations_location_id_id_idx,
    providers_name_id_idx, providers_county_fips_name_id_idx, providers_org_type_name_id_idx,
    providers_source_id_name_id_idx, providers_location_id_name_id_idx;
create index on services (name, id) include (listed);
create index on services (provider_id, name, id) include (listed);
create index on services (county_fips, name, id) include (listed);
create index on services (aging_until, fresh_until, listed);
create index on services_at_locations (service_id, id) include (listed);
create index on services_at_locations (location_id, id) include (listed);
create index on providers (name, id) include (listed);
create index on providers (county_fips, name, id) include (listed);
create index on providers (org_type, name, id) include (listed);
create index on providers (source_id, name, id) include (listed);
create index on providers (location_id, name, id) include (listed);
create index on providers (aging_until, fresh_until, listed);
