-- How far to trust a record: where it comes from, and when that was so.

-- Every row says how old its source's data is, as providers, institutions and centers already do.
do $$
declare
    sourced regclass;
begin
    for sourced in
        select format('%I', c.relname)::regclass from pg_class c
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
            and exists (select from pg_attribute where attrelid = c.oid and attname = 'source_record_id')
            and not exists (select from pg_attribute where attrelid = c.oid and attname = 'source_date')
        order by c.relname
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

-- What a row keeps of other tables, so that an index serves it, is defined by a view: the view
-- providers_kept_listed says what the column `listed` of providers holds. When a table changes that
-- such a view reads, a trigger copies what is true then, for the rows that it concerns.

create function keep(kept text, ids uuid[] default null) returns void language plpgsql
    set search_path = public, pg_temp as $$
declare
    keeper text := split_part(kept, '_kept_', 1);
    before text := coalesce(current_setting('directory.keeping', true), '');
    names  text;
    old    text;
    new    text;
begin
    select string_agg(attname, ', '), string_agg('t.' || attname, ', '), string_agg('k.' || attname, ', ')
    into names, old, new
    from pg_attribute where attrelid = kept::regclass and attnum > 0 and attname <> 'id';
    -- Who changed the same rows at the same time is waited for; then the view is read.
    if ids is null then
        execute format('lock table %I in share row exclusive mode', keeper);
    else
        execute format('select from %I where id = any ($1) order by id for no key update', keeper) using ids;
    end if;
    perform set_config('directory.keeping', 'later', true);  -- nothing that is kept depends on what is
    execute format('update %I t set (%s) = row (%s) from %I k where k.id = t.id and (%s) is distinct from (%s) %s',
                   keeper, names, new, kept, old, new,
                   case when ids is not null then 'and t.id = any ($1) and k.id = any ($1)' end) using ids;
    perform set_config('directory.keeping', before, true);
end
$$;
comment on function keep is 'Copies a view of what is kept to the rows that keep it: those with these ids, or all.';

create function keep_everything() returns void language plpgsql
    set search_path = public, pg_temp as $$
begin
    perform keep(viewname::text) from pg_views
    where schemaname = current_schema() and viewname like '%\_kept\_%' order by viewname;
end
$$;
comment on function keep_everything is
    'Copies all that is kept, after changes during which the setting directory.keeping was ''later''.';

-- Of its owner's rights: whoever may write a row need not be able to write what is kept of it.
create function touch() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    n   integer := 0;
    ids uuid[];
begin
    if current_setting('directory.keeping', true) = 'later' or not exists (select from changed) then
        return null;
    end if;
    while n < tg_nargs loop
        execute format('select array_agg(distinct id) from %I where %I in (select %s from changed r %s)',
                       split_part(tg_argv[n], '_kept_', 1), tg_argv[n + 1], tg_argv[n + 2],
                       case tg_op when 'UPDATE' then format('union all select %s from was r', tg_argv[n + 2]) end)
        into ids;
        if ids is not null then
            perform keep(tg_argv[n], ids);
        end if;
        n := n + 3;
    end loop;
    return null;
end
$$;
comment on function touch is
    'Keeps what follows from changed rows. Arguments, in threes: a view of what is kept, a column of the table that keeps it, and what that column is, of the changed row r.';

create function touches(changing text, name text, variadic kept text[]) returns void language plpgsql
    set search_path = public, pg_temp as $$
declare
    arguments text := (select string_agg(quote_literal(argument), ', ') from unnest(kept) argument);
begin
    execute format('create trigger touch_%s_inserted after insert on %I
                    referencing new table as changed for each statement execute function touch(%s)',
                   name, changing, arguments);
    execute format('create trigger touch_%s_updated after update on %I referencing old table as was
                    new table as changed for each statement execute function touch(%s)',
                   name, changing, arguments);
    execute format('create trigger touch_%s_deleted after delete on %I
                    referencing old table as changed for each statement execute function touch(%s)',
                   name, changing, arguments);
end
$$;
comment on function touches is 'For migrations: a table whose changes are followed. Further arguments are those of touch.';

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
            create index on %1$I (aging_until, fresh_until);
            create index on %1$I (verification_due_at) where verification_due_at is not null;
            comment on column %1$I.verified_at is
                'Kept: when it was last checked by somebody who reached anybody. HSDS 3: service.assured_date.';
            comment on column %1$I.verification_due_at is 'Kept: when the next check is due, as stated or as it follows.';
            comment on column %1$I.fresh_until is 'Kept: the last moment at which it is FRESH; -infinity if it was found closed.';
            comment on column %1$I.aging_until is 'Kept: the last moment at which it is not yet STALE.';

            create view %3$I as
                select o.id, finding.verified_at, finding.method as verification_method,
                       finding.outcome as verification_outcome,
                       case when finding.outcome = 'CLOSED' then due.next_due_at
                            else coalesce(due.next_due_at, finding.verified_at + make_interval(hours => 24 * fresh_days))
                       end as verification_due_at,
                       -- What was found closed does not hold, whatever was confirmed before.
                       case when finding.outcome = 'CLOSED' then '-infinity'
                            else least(finding.next_due_at, finding.verified_at + make_interval(hours => 24 * fresh_days))
                       end as fresh_until,
                       case when finding.outcome = 'CLOSED' then '-infinity'
                            else finding.verified_at + make_interval(hours => 24 * aging_days)
                       end as aging_until
                from %1$I o
                cross join freshness_thresholds
                left join lateral (
                    -- To have reached nobody is not to have checked.
                    select * from verifications where owner_id = o.id and outcome <> 'UNREACHABLE'
                    order by verified_at desc, created_at desc, id desc limit 1) finding on true
                left join lateral (
                    select v.next_due_at from verifications v
                    where v.owner_id = o.id and v.next_due_at is not null
                      and (finding.id is null or (v.verified_at, v.created_at, v.id)
                                              >= (finding.verified_at, finding.created_at, finding.id))
                    order by v.verified_at desc, v.created_at desc, v.id desc limit 1) due on true
                where kind = %2$L;
            $sql$, owner.column2, owner.column1, owner.column2 || '_kept_freshness');
    end loop;
end
$$;

select touches('verifications', 'freshness',
    'institutions_kept_freshness', 'id', 'institution_id',
    'visitor_centers_kept_freshness', 'id', 'visitor_center_id',
    'programs_kept_freshness', 'id', 'program_id',
    'program_offerings_kept_freshness', 'id', 'offering_id',
    'providers_kept_freshness', 'id', 'provider_id',
    'services_kept_freshness', 'id', 'service_id');

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
create view providers_kept_listed as
    select id,
           not exists (select from services where provider_id = p.id)
           or exists (select from services where provider_id = p.id and listed)
           or exists (select from visitor_centers where operator_id = p.id and listed)
           or exists (select from programs where operator_id = p.id) as listed
    from providers p;

alter table services_at_locations add listed boolean not null default true;
comment on column services_at_locations.listed is 'Kept: that of its service.';
create view services_at_locations_kept_listed as
    select a.id, s.listed from services_at_locations a join services s on s.id = a.service_id;

select touches('services', 'listed',
    'providers_kept_listed', 'id', 'provider_id', 'services_at_locations_kept_listed', 'service_id', 'id');
select touches('services_at_locations', 'listed', 'services_at_locations_kept_listed', 'id', 'id');
select touches('visitor_centers', 'listed', 'providers_kept_listed', 'id', 'operator_id');
select touches('programs', 'listed', 'providers_kept_listed', 'id', 'operator_id');

create view listed_services as select id, provider_id from services where listed;
comment on view listed_services is 'The services that lead from one record to another.';

-- The lists of large tables are read and counted from an index alone, so it says what is listed.
drop index services_aging_until_fresh_until_idx, providers_aging_until_fresh_until_idx,
    services_name_id_idx, services_provider_id_name_id_idx, services_county_fips_name_id_idx,
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

create function keep_freshness() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform keep(owner || '_kept_freshness')
    from unnest(array['institutions', 'visitor_centers', 'programs', 'program_offerings', 'providers', 'services']) owner;
    return null;
end
$$;
create trigger keep_freshness after update on freshness_thresholds
    for each statement execute function keep_freshness();

select keep_everything();
