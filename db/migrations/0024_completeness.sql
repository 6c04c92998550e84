-- Which of the things that people need to know of a record are known.

create table completeness_fields (
    kind   text not null check (kind in ('INSTITUTION', 'VISITOR_CENTER', 'PROGRAM', 'PROVIDER', 'SERVICE')),
    field  text not null check (field in (
               'PHONE', 'ADDRESS', 'WEBSITE', 'HOURS', 'VISITING_STATUS', 'AMENITIES', 'OPERATOR', 'DESCRIPTION',
               'INSTITUTIONS', 'AUDIENCE', 'OFFERS', 'CATEGORIES', 'LANGUAGES')),
    weight integer not null check (weight > 0),
    primary key (kind, field)
);
comment on table completeness_fields is
    'What people need of each kind of record, and how much: the score is the share of the weights that is known. HSDS 3 has no such object.';
insert into completeness_fields (kind, field, weight) values
    -- Without a telephone nobody gets anywhere; without an address, half of the way.
    ('PROVIDER', 'PHONE', 35), ('PROVIDER', 'ADDRESS', 25), ('PROVIDER', 'CATEGORIES', 15),
    ('PROVIDER', 'WEBSITE', 15), ('PROVIDER', 'LANGUAGES', 10),
    ('SERVICE', 'PHONE', 30), ('SERVICE', 'OFFERS', 20), ('SERVICE', 'ADDRESS', 15),
    ('SERVICE', 'HOURS', 15), ('SERVICE', 'CATEGORIES', 10), ('SERVICE', 'LANGUAGES', 10),
    ('INSTITUTION', 'PHONE', 25), ('INSTITUTION', 'ADDRESS', 25), ('INSTITUTION', 'VISITING_STATUS', 20),
    ('INSTITUTION', 'HOURS', 20), ('INSTITUTION', 'WEBSITE', 10),
    ('VISITOR_CENTER', 'PHONE', 30), ('VISITOR_CENTER', 'HOURS', 30), ('VISITOR_CENTER', 'ADDRESS', 15),
    ('VISITOR_CENTER', 'AMENITIES', 15), ('VISITOR_CENTER', 'OPERATOR', 10),
    ('PROGRAM', 'INSTITUTIONS', 30), ('PROGRAM', 'DESCRIPTION', 25), ('PROGRAM', 'CATEGORIES', 15),
    ('PROGRAM', 'AUDIENCE', 15), ('PROGRAM', 'OPERATOR', 15);

create function completeness(kind text, known text[]) returns table (missing text[], completeness integer)
    language sql stable parallel safe
begin atomic
    select coalesce(array_agg(field order by weight desc, field) filter (where field <> all (known)), '{}'),
           (100 * coalesce(sum(weight) filter (where field = any (known)), 0) / sum(weight))::integer
    from completeness_fields f where f.kind = completeness.kind;
end;
comment on function completeness is
    'Of a record of which these fields are known: those that are not, the most needed first, and its score from 0 to 100.';

create function place_is_told(place uuid) returns boolean
    language sql stable parallel safe
    return exists (
        select from locations
        where id = place
          -- What is withheld on purpose, or has no address, does not lack one.
          and (address_visibility <> 'PUBLIC' or location_type in ('VIRTUAL', 'MOBILE')
               or num_nonnulls(public_street, public_city, public_zip, public_latitude) > 0));
comment on function place_is_told is 'Whether as much of an address is there as its owner wants to be known.';

create function can_be_called(kind text) returns boolean
    language sql immutable parallel safe
    return kind <> 'FAX';
comment on function can_be_called is 'Whether a phone of this kind reaches anybody.';

do $$
declare
    owner record;
begin
    for owner in values ('institutions'), ('visitor_centers'), ('programs'), ('providers'), ('services') loop
        execute format($sql$
            alter table %1$I
                add missing text[] not null default '{}' check (missing <@ array[
                    'PHONE', 'ADDRESS', 'WEBSITE', 'HOURS', 'VISITING_STATUS', 'AMENITIES', 'OPERATOR', 'DESCRIPTION',
                    'INSTITUTIONS', 'AUDIENCE', 'OFFERS', 'CATEGORIES', 'LANGUAGES']),
                add completeness integer not null default 0 check (completeness between 0 and 100);
            create index on %1$I (completeness, id);
            create index on %1$I using gin (missing);
            comment on column %1$I.missing is 'Kept: what people need to know of it and nobody told us, the most needed first.';
            comment on column %1$I.completeness is 'Kept: how much of what people need is known, from 0 to 100.';
            $sql$, owner.column1);
    end loop;
end
$$;

-- Which fields are known, by kind of record. A condition is written once, here.

create view provider_facts as
    select p.id, 'PROVIDER' as kind, array_remove(array[
        case when exists (select from phones where provider_id = p.id and can_be_called(kind)) then 'PHONE' end,
        case when place_is_told(location_id) then 'ADDRESS' end,
        case when exists (select from listed_services s join service_categories on service_id = s.id
                          where s.provider_id = p.id) then 'CATEGORIES' end,
        case when website is not null then 'WEBSITE' end,
        case when languages <> '{}' then 'LANGUAGES' end], null) as known
    from providers p;

create view service_facts as
    select s.id, 'SERVICE' as kind, array_remove(array[
        case when exists (select from phones where service_id = s.id and can_be_called(kind))
               or exists (select from phones where provider_id = s.provider_id and can_be_called(kind))
               or exists (select from phones h join services_at_locations a on a.id = h.service_at_location_id
                          where a.service_id = s.id and can_be_called(kind)) then 'PHONE' end,
        case when offers <> '{}' then 'OFFERS' end,
        case when exists (select from services_at_locations
                          where service_id = s.id and place_is_told(location_id)) then 'ADDRESS' end,
        case when hours_text is not null
               or exists (select from schedules where service_id = s.id)
               or exists (select from schedules h join services_at_locations a on a.id = h.service_at_location_id
                          where a.service_id = s.id) then 'HOURS' end,
        case when exists (select from service_categories where service_id = s.id) then 'CATEGORIES' end,
        case when languages <> '{}' then 'LANGUAGES' end], null) as known
    from services s;

create view institution_facts as
    select i.id, 'INSTITUTION' as kind, array_remove(array[
        -- Nobody calls or visits what holds nobody any more.
        case when closed or exists (select from phones where institution_id = i.id and can_be_called(kind))
             then 'PHONE' end,
        case when place_is_told(location_id) then 'ADDRESS' end,
        case when closed or exists (select from visiting_statuses v
                                    where v.institution_id = i.id and v.status <> 'UNKNOWN')
             then 'VISITING_STATUS' end,
        case when closed or exists (select from schedules where institution_id = i.id) then 'HOURS' end,
        case when website is not null then 'WEBSITE' end], null) as known
    from institutions i, lateral (select i.status in ('CLOSED', 'DEACTIVATED_UNIT') as closed) c;

create view visitor_center_facts as
    select c.id, 'VISITOR_CENTER' as kind, array_remove(array[
        case when exists (select from phones where visitor_center_id = c.id and can_be_called(kind)) then 'PHONE' end,
        case when hours_text is not null
               or exists (select from schedules where visitor_center_id = c.id) then 'HOURS' end,
        case when place_is_told(location_id) then 'ADDRESS' end,
        case when exists (select from visitor_center_amenities where visitor_center_id = c.id) then 'AMENITIES' end,
        case when operator_id is not null then 'OPERATOR' end], null) as known
    from visitor_centers c;

create view program_facts as
    select p.id, 'PROGRAM' as kind, array_remove(array[
        case when exists (select from program_offerings where program_id = p.id) then 'INSTITUTIONS' end,
        case when summary is not null then 'DESCRIPTION' end,
        case when exists (select from program_categories where program_id = p.id) then 'CATEGORIES' end,
        case when audience <> '{}' then 'AUDIENCE' end,
        case when num_nonnulls(operator_id, operator_name) > 0 then 'OPERATOR' end], null) as known
    from programs p;

do $$
declare
    owner record;
begin
    for owner in values ('institution', 'institutions'), ('visitor_center', 'visitor_centers'),
                        ('program', 'programs'), ('provider', 'providers'), ('service', 'services')
    loop
        execute format($sql$
            create view %1$I as
                select o.id, score.missing, score.completeness
                from %2$I o
                -- Offset keeps the facts from being asked for again by each field.
                cross join lateral (select kind, known from %3$I f where f.id = o.id offset 0) facts
                cross join lateral completeness(kind, known) score
            $sql$, owner.column2 || '_kept_completeness', owner.column2, owner.column1 || '_facts');
    end loop;
end
$$;

create function keep_completeness() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
begin
    perform keep(owner || '_kept_completeness')
    from unnest(array['institutions', 'visitor_centers', 'programs', 'providers', 'services']) owner;
    return null;
end
$$;
create trigger keep_completeness after insert or update or delete on completeness_fields
    for each statement execute function keep_completeness();

-- What these facts are taken from.
select touches('institutions', 'completeness', 'institutions_kept_completeness', 'id', 'id');
select touches('visitor_centers', 'completeness', 'visitor_centers_kept_completeness', 'id', 'id');
select touches('programs', 'completeness', 'programs_kept_completeness', 'id', 'id');
select touches('providers', 'completeness', 'providers_kept_completeness', 'id', 'id');
select touches('services', 'completeness',
    'services_kept_completeness', 'id', 'id', 'providers_kept_completeness', 'id', 'provider_id');
select touches('phones', 'completeness',
    'providers_kept_completeness', 'id', 'provider_id',
    'services_kept_completeness', 'provider_id', 'provider_id',
    'services_kept_completeness', 'id', 'service_id',
    'services_kept_completeness', 'id', '(select service_id from services_at_locations where id = service_at_location_id)',
    'institutions_kept_completeness', 'id', 'institution_id',
    'visitor_centers_kept_completeness', 'id', 'visitor_center_id');
select touches('locations', 'completeness',
    'providers_kept_completeness', 'location_id', 'id',
    'services_kept_completeness', 'id',
        'unnest(array(select service_id from services_at_locations a where a.location_id = r.id))',
    'institutions_kept_completeness', 'location_id', 'id',
    'visitor_centers_kept_completeness', 'location_id', 'id');
select touches('service_categories', 'completeness',
    'services_kept_completeness', 'id', 'service_id',
    'providers_kept_completeness', 'id', '(select provider_id from services where id = service_id)');
select touches('services_at_locations', 'completeness', 'services_kept_completeness', 'id', 'service_id');
select touches('schedules', 'completeness',
    'services_kept_completeness', 'id', 'service_id',
    'services_kept_completeness', 'id', '(select service_id from services_at_locations where id = service_at_location_id)',
    'institutions_kept_completeness', 'id', 'institution_id',
    'visitor_centers_kept_completeness', 'id', 'visitor_center_id');
select touches('visiting_statuses', 'completeness', 'institutions_kept_completeness', 'id', 'institution_id');
select touches('visitor_center_amenities', 'completeness',
    'visitor_centers_kept_completeness', 'id', 'visitor_center_id');
select touches('program_categories', 'completeness', 'programs_kept_completeness', 'id', 'program_id');
select touches('program_offerings', 'completeness', 'programs_kept_completeness', 'id', 'program_id');

select keep_everything();
