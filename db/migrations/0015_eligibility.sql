-- Who may come: what is known of that, and whether it fits somebody's situation.
--
-- Null is unknown everywhere here. What nobody said never excludes anybody, and is never claimed.

create type verdict as enum ('FITS', 'UNKNOWN', 'DOES_NOT_FIT');
comment on type verdict is 'From best to worst, so that the verdict on a whole is the greatest of those on its parts.';

-- Words

create table terms (
    vocabulary text    not null check (vocabulary in (
                           'AUDIENCE', 'OFFENCE', 'GENDER', 'REFERRAL_ROUTE', 'LANGUAGE', 'DOCUMENT', 'COST_OPTION',
                           'ACCESSIBILITY')),
    code       text    not null check (code <> ''),
    label_en   text    not null check (label_en <> ''),
    label_es   text    not null check (label_es <> ''),
    primary key (vocabulary, code)
);
comment on table terms is
    'What the codes of our short lists are called, within a sentence. HSDS 3: taxonomy_term; for languages, language.name.';

insert into terms (vocabulary, code, label_en, label_es) values
    ('AUDIENCE', 'FAMILY', 'families of people inside', 'familias de personas en prisión'),
    ('AUDIENCE', 'INCARCERATED', 'people inside', 'personas en prisión'),
    ('AUDIENCE', 'PAROLE', 'people on parole', 'personas en libertad condicional (parole)'),
    ('AUDIENCE', 'PROBATION', 'people on probation', 'personas en libertad vigilada (probation)'),
    ('AUDIENCE', 'FORMERLY_INCARCERATED', 'people who were in jail or prison', 'personas que estuvieron en la cárcel o en prisión'),
    ('AUDIENCE', 'YOUTH', 'young people', 'jóvenes'),
    ('AUDIENCE', 'CHILDREN', 'children', 'niños y niñas'),
    ('AUDIENCE', 'PARENTS', 'parents with children', 'madres y padres con hijos'),
    ('AUDIENCE', 'PREGNANT', 'pregnant people', 'personas embarazadas'),
    ('AUDIENCE', 'WOMEN', 'women', 'mujeres'),
    ('AUDIENCE', 'MEN', 'men', 'hombres'),
    ('AUDIENCE', 'LGBTQ', 'LGBTQ people', 'personas LGBTQ'),
    ('AUDIENCE', 'SENIORS', 'seniors', 'personas mayores'),
    ('AUDIENCE', 'VETERANS', 'veterans', 'veteranos y veteranas'),
    ('AUDIENCE', 'HOMELESS', 'people without a home', 'personas sin hogar'),
    ('AUDIENCE', 'LOW_INCOME', 'people with a low income', 'personas con ingresos bajos'),
    ('AUDIENCE', 'MENTAL_ILLNESS', 'people with a mental illness', 'personas con una enfermedad mental'),
    ('AUDIENCE', 'DISABILITY', 'people with a disability', 'personas con discapacidad'),
    ('AUDIENCE', 'IMMIGRANTS', 'immigrants', 'inmigrantes'),
    ('AUDIENCE', 'FARMWORKERS', 'farmworkers', 'trabajadores agrícolas'),
    ('AUDIENCE', 'STUDENTS', 'students', 'estudiantes'),
    ('AUDIENCE', 'PARTNER', 'organizations that work with us', 'organizaciones que trabajan con nosotros'),
    ('OFFENCE', 'SEX_OFFENCE', 'sex offences', 'delitos sexuales'),
    ('OFFENCE', 'OFFENCE_AGAINST_CHILD', 'offences against a child', 'delitos contra menores'),
    ('OFFENCE', 'ARSON', 'arson', 'incendio intencional'),
    ('OFFENCE', 'VIOLENT_FELONY', 'violent felonies', 'delitos graves con violencia'),
    ('OFFENCE', 'DOMESTIC_VIOLENCE', 'domestic violence', 'violencia doméstica'),
    ('OFFENCE', 'DRUG_MANUFACTURE', 'making drugs', 'fabricación de drogas'),
    ('OFFENCE', 'DRUG_SALES', 'selling drugs', 'venta de drogas'),
    ('GENDER', 'FEMALE', 'women', 'mujeres'),
    ('GENDER', 'MALE', 'men', 'hombres'),
    ('GENDER', 'ANY', 'people of any gender', 'personas de cualquier género'),
    ('REFERRAL_ROUTE', 'SELF', 'oneself', 'uno mismo'),
    ('REFERRAL_ROUTE', 'PAROLE_AGENT', 'a parole agent', 'un agente de parole'),
    ('REFERRAL_ROUTE', 'PROBATION_OFFICER', 'a probation officer', 'un oficial de probation'),
    ('REFERRAL_ROUTE', 'CORRECTIONAL_COUNSELOR', 'a correctional counselor', 'un consejero de la prisión'),
    ('REFERRAL_ROUTE', 'CASE_MANAGER', 'a case manager', 'un gestor de casos'),
    ('REFERRAL_ROUTE', 'COURT', 'a court', 'un tribunal'),
    ('REFERRAL_ROUTE', 'ANY', 'anybody', 'cualquier persona'),
    ('DOCUMENT', 'NONE', 'no papers', 'ningún documento'),
    ('DOCUMENT', 'PHOTO_ID', 'a photo ID', 'una identificación con foto'),
    ('DOCUMENT', 'BIRTH_CERTIFICATE', 'a birth certificate', 'un acta de nacimiento'),
    ('DOCUMENT', 'SOCIAL_SECURITY_CARD', 'a Social Security card', 'una tarjeta del Seguro Social'),
    ('DOCUMENT', 'IMMIGRATION_DOCUMENT', 'an immigration document', 'un documento migratorio'),
    ('DOCUMENT', 'PROOF_OF_INCOME', 'proof of income', 'un comprobante de ingresos'),
    ('DOCUMENT', 'PROOF_OF_ADDRESS', 'proof of address', 'un comprobante de domicilio'),
    ('DOCUMENT', 'PROOF_OF_INSURANCE', 'proof of insurance', 'un comprobante de seguro'),
    ('DOCUMENT', 'RELEASE_PAPERS', 'release papers', 'los papeles de salida'),
    ('DOCUMENT', 'CRIMINAL_RECORD', 'a copy of the criminal record', 'una copia de los antecedentes penales'),
    ('DOCUMENT', 'REFERRAL_FORM', 'a referral form', 'un formulario de remisión'),
    ('DOCUMENT', 'TB_TEST', 'a tuberculosis test', 'una prueba de tuberculosis'),
    ('DOCUMENT', 'DISCHARGE_DD214', 'a military discharge (DD 214)', 'la baja militar (DD 214)'),
    ('DOCUMENT', 'OTHER', 'another paper', 'otro documento'),
    ('COST_OPTION', 'FREE', 'free', 'gratis'),
    ('COST_OPTION', 'SLIDING_SCALE', 'by income', 'según los ingresos'),
    ('COST_OPTION', 'FIXED', 'a fixed price', 'un precio fijo'),
    ('COST_OPTION', 'INSURANCE', 'paid by an insurance', 'lo paga un seguro'),
    ('ACCESSIBILITY', 'WHEELCHAIR', 'access by wheelchair', 'acceso en silla de ruedas'),
    ('ACCESSIBILITY', 'WHEELCHAIR_VAN', 'a van that takes wheelchairs', 'una camioneta para sillas de ruedas'),
    ('ACCESSIBILITY', 'RAMP', 'a ramp', 'una rampa'),
    ('ACCESSIBILITY', 'ELEVATOR', 'an elevator', 'un ascensor'),
    ('ACCESSIBILITY', 'RESTROOM', 'an accessible restroom', 'un baño accesible'),
    ('ACCESSIBILITY', 'DISABLED_PARKING', 'parking for people with a disability', 'estacionamiento para personas con discapacidad'),
    ('ACCESSIBILITY', 'DEAF_INTERPRETER', 'an interpreter for deaf people', 'un intérprete para personas sordas'),
    ('ACCESSIBILITY', 'TTY', 'a text telephone', 'un teléfono de texto (TTY)'),
    ('ACCESSIBILITY', 'TAPE_BRAILLE', 'information on tape or in Braille', 'información grabada o en braille'),
    ('ACCESSIBILITY', 'CD', 'information on compact disc', 'información en disco compacto'),
    ('LANGUAGE', 'am', 'Amharic', 'amárico'),
    ('LANGUAGE', 'ar', 'Arabic', 'árabe'),
    ('LANGUAGE', 'ase', 'American Sign Language', 'lengua de señas americana'),
    ('LANGUAGE', 'cmn', 'Mandarin', 'chino mandarín'),
    ('LANGUAGE', 'de', 'German', 'alemán'),
    ('LANGUAGE', 'en', 'English', 'inglés'),
    ('LANGUAGE', 'es', 'Spanish', 'español'),
    ('LANGUAGE', 'fa', 'Persian', 'persa'),
    ('LANGUAGE', 'fr', 'French', 'francés'),
    ('LANGUAGE', 'hi', 'Hindi', 'hindi'),
    ('LANGUAGE', 'hmn', 'Hmong', 'hmong'),
    ('LANGUAGE', 'hy', 'Armenian', 'armenio'),
    ('LANGUAGE', 'it', 'Italian', 'italiano'),
    ('LANGUAGE', 'ja', 'Japanese', 'japonés'),
    ('LANGUAGE', 'km', 'Khmer', 'jemer'),
    ('LANGUAGE', 'ko', 'Korean', 'coreano'),
    ('LANGUAGE', 'lo', 'Lao', 'lao'),
    ('LANGUAGE', 'pa', 'Punjabi', 'panyabí'),
    ('LANGUAGE', 'pt', 'Portuguese', 'portugués'),
    ('LANGUAGE', 'ru', 'Russian', 'ruso'),
    ('LANGUAGE', 'so', 'Somali', 'somalí'),
    ('LANGUAGE', 'th', 'Thai', 'tailandés'),
    ('LANGUAGE', 'tl', 'Tagalog', 'tagalo'),
    ('LANGUAGE', 'uk', 'Ukrainian', 'ucraniano'),
    ('LANGUAGE', 'vi', 'Vietnamese', 'vietnamita'),
    ('LANGUAGE', 'yue', 'Cantonese', 'cantonés'),
    ('LANGUAGE', 'zh', 'Chinese', 'chino');

-- What is known

-- Some groups are people with a record: who is one of them has one, and who takes them takes records.
create function have_records(audience text[]) returns boolean
    language sql immutable parallel safe
    return case when audience && array['INCARCERATED', 'PAROLE', 'PROBATION', 'FORMERLY_INCARCERATED'] then true end;

alter table programs drop constraint programs_audience_check;
alter table programs add constraint programs_audience_check check (audience <@ array[
    'FAMILY', 'INCARCERATED', 'PAROLE', 'PROBATION', 'FORMERLY_INCARCERATED', 'YOUTH', 'CHILDREN', 'PARENTS', 'PREGNANT',
    'WOMEN', 'MEN', 'LGBTQ', 'SENIORS', 'VETERANS', 'HOMELESS', 'LOW_INCOME', 'MENTAL_ILLNESS', 'DISABILITY',
    'IMMIGRANTS', 'FARMWORKERS', 'STUDENTS', 'PARTNER']);

alter table reentry_programs
    add audience            text[] check (audience <@ array[
        'FAMILY', 'INCARCERATED', 'PAROLE', 'PROBATION', 'FORMERLY_INCARCERATED', 'YOUTH', 'CHILDREN', 'PARENTS', 'PREGNANT',
        'WOMEN', 'MEN', 'LGBTQ', 'SENIORS', 'VETERANS', 'HOMELESS', 'LOW_INCOME', 'MENTAL_ILLNESS', 'DISABILITY',
        'IMMIGRANTS', 'FARMWORKERS', 'STUDENTS', 'PARTNER']),
    add gender              text check (gender in ('FEMALE', 'MALE', 'ANY')),
    add entry_from_days     integer check (entry_from_days between -36500 and 36500),
    add entry_to_days       integer check (entry_to_days between -36500 and 36500),
    add referral_routes     text[] check (referral_routes <@ array[
        'SELF', 'PAROLE_AGENT', 'PROBATION_OFFICER', 'CORRECTIONAL_COUNSELOR', 'CASE_MANAGER', 'COURT', 'ANY']),
    add application_process text check (application_process <> ''),
    add conditions          text check (conditions <> ''),
    add check (audience <> '{}'),
    add check (referral_routes <> '{}'),
    add check (entry_from_days <= entry_to_days);
create index on reentry_programs using gin (audience, referral_routes);
comment on column reentry_programs.audience is 'Who may enter, and nobody else; coded by us from eligibility. HSDS 3: attribute eligibility.';
comment on column reentry_programs.entry_from_days is 'When one can enter: so many days after release, or before it if negative.';
comment on column reentry_programs.conditions is 'What eligibility asks for beside that, and no code says. HSDS 3: service.eligibility_description.';

alter table services
    add eligibility_description     text check (eligibility_description <> ''),
    add audience                    text[] check (audience <@ array[
        'FAMILY', 'INCARCERATED', 'PAROLE', 'PROBATION', 'FORMERLY_INCARCERATED', 'YOUTH', 'CHILDREN', 'PARENTS', 'PREGNANT',
        'WOMEN', 'MEN', 'LGBTQ', 'SENIORS', 'VETERANS', 'HOMELESS', 'LOW_INCOME', 'MENTAL_ILLNESS', 'DISABILITY',
        'IMMIGRANTS', 'FARMWORKERS', 'STUDENTS', 'PARTNER']),
    add audience_only               boolean,
    add accepts_people_with_records boolean,
    add offence_exclusions          text[] check (offence_exclusions <@ array[
        'SEX_OFFENCE', 'OFFENCE_AGAINST_CHILD', 'ARSON', 'VIOLENT_FELONY', 'DOMESTIC_VIOLENCE', 'DRUG_MANUFACTURE',
        'DRUG_SALES']),
    add gender                      text check (gender in ('FEMALE', 'MALE', 'ANY')),
    add minimum_age                 integer check (minimum_age between 0 and 120),
    add maximum_age                 integer check (maximum_age between 0 and 120),
    add referral_routes             text[] check (referral_routes <@ array[
        'SELF', 'PAROLE_AGENT', 'PROBATION_OFFICER', 'CORRECTIONAL_COUNSELOR', 'CASE_MANAGER', 'COURT', 'ANY']),
    add application_process         text check (application_process <> ''),
    add interpretation_services     text check (interpretation_services <> ''),
    add fees_description            text check (fees_description <> ''),
    add conditions                  text check (conditions <> ''),
    -- What the tables below say of a service, gathered here for an index.
    add documents                   text[] check (documents <@ array[
        'NONE', 'PHOTO_ID', 'BIRTH_CERTIFICATE', 'SOCIAL_SECURITY_CARD', 'IMMIGRATION_DOCUMENT', 'PROOF_OF_INCOME',
        'PROOF_OF_ADDRESS', 'PROOF_OF_INSURANCE', 'RELEASE_PAPERS', 'CRIMINAL_RECORD', 'REFERRAL_FORM', 'TB_TEST',
        'DISCHARGE_DD214', 'OTHER']),
    add fees                        text[] check (fees <@ array['FREE', 'SLIDING_SCALE', 'FIXED', 'INSURANCE']),
    add noted_languages             text[],
    add accessibility               text[] check (accessibility <@ array[
        'WHEELCHAIR', 'WHEELCHAIR_VAN', 'RAMP', 'ELEVATOR', 'RESTROOM', 'DISABLED_PARKING', 'DEAF_INTERPRETER', 'TTY',
        'TAPE_BRAILLE', 'CD']),
    add check (audience <> '{}'),
    add check (audience_only is null or audience is not null),
    add check (referral_routes <> '{}'),
    add check (minimum_age <= maximum_age),
    add check (not 'NONE' = any (documents) or documents = '{NONE}');
alter table services
    add ages int4range generated always as (
        case when minimum_age > maximum_age then null  -- which a check refuses, in its own words
             when minimum_age is not null or maximum_age is not null
             then int4range(minimum_age, maximum_age, '[]') end) stored,
    add criteria text[] not null generated always as (array_remove(array[
        case when audience is not null then 'AUDIENCE' end,
        case when coalesce(accepts_people_with_records, have_records(audience)) is not null then 'RECORD' end,
        case when offence_exclusions is not null then 'OFFENCE' end,
        case when gender is not null then 'GENDER' end,
        case when minimum_age is not null or maximum_age is not null then 'AGE' end,
        case when referral_routes is not null then 'REFERRAL' end,
        case when languages <> '{}' then 'LANGUAGE' end,
        case when documents is not null then 'DOCUMENTS' end,
        case when fees is not null then 'FEES' end,
        case when accessibility is not null then 'ACCESSIBILITY' end,
        case when conditions is not null then 'CONDITION' end]::text[], null)) stored
        check (criteria <@ array['AUDIENCE', 'RECORD', 'OFFENCE', 'GENDER', 'AGE', 'RELEASE', 'REFERRAL', 'LANGUAGE',
                                 'DOCUMENTS', 'FEES', 'COUNTY', 'ACCESSIBILITY', 'CONDITION']);
-- A GIN index of several columns finds any of them.
create index services_eligibility_idx on services using gin (audience, offence_exclusions, referral_routes, documents, fees, accessibility, criteria);
create index on services using gist (ages) where ages is not null;
create index services_known_age_idx on services (name, id) where ages is not null;
create index on services (gender, name, id) where gender is not null;
create index on services (accepts_people_with_records, name, id) where accepts_people_with_records is not null;
comment on column services.eligibility_description is 'The source''s own words. HSDS 3: service.eligibility_description.';
comment on column services.audience is
    'Whom the source names as those it serves; coded by us. HSDS 3: attribute audience, or eligibility where audience_only.';
comment on column services.audience_only is 'True if nobody else may come. Null is unknown: others may, unless told otherwise.';
comment on column services.offence_exclusions is 'Offences for which people are turned away; empty if known to be none, null if unknown.';
comment on column services.conditions is 'What is asked for beside, and no code says, in the source''s words.';
comment on column services.documents is 'Gathered from required_documents by a trigger. NONE is known to be none.';
comment on column services.fees is 'Gathered from cost_options by a trigger.';
comment on column services.noted_languages is 'Of the languages those with a note; gathered from language_notes by a trigger.';
comment on column services.accessibility is 'What one of its places has at least; gathered from locations by triggers.';
comment on column services.criteria is
    'What is known of who may come, so that what is not can be found, too. The county is left out: nearly all have one.';

create table required_documents (
    id               uuid primary key default gen_random_uuid(),
    service_id       uuid not null references services,
    document         text not null check (document in (
        'NONE', 'PHOTO_ID', 'BIRTH_CERTIFICATE', 'SOCIAL_SECURITY_CARD', 'IMMIGRATION_DOCUMENT', 'PROOF_OF_INCOME',
        'PROOF_OF_ADDRESS', 'PROOF_OF_INSURANCE', 'RELEASE_PAPERS', 'CRIMINAL_RECORD', 'REFERRAL_FORM', 'TB_TEST',
        'DISCHARGE_DD214', 'OTHER')),
    note             text check (note <> ''),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null)),
    check (document <> 'OTHER' or note is not null)
);
create unique index on required_documents (service_id, document) where document <> 'OTHER';
create index on required_documents (service_id, document, id);
create index on required_documents (source_id);
comment on table required_documents is 'A paper that one has to bring to a service. HSDS 3: required_document.';
comment on column required_documents.note is 'What exactly is meant; OTHER says it here. HSDS 3: required_document.document.';

create table cost_options (
    id               uuid primary key default gen_random_uuid(),
    service_id       uuid not null references services,
    option           text not null check (option in ('FREE', 'SLIDING_SCALE', 'FIXED', 'INSURANCE')),
    amount_cents     integer check (amount_cents > 0),
    note             text check (note <> ''),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null)),
    check (amount_cents is null or option = 'FIXED')
);
create index on cost_options (service_id, option, id);
create index on cost_options (source_id);
comment on table cost_options is 'A way in which a service is paid for. HSDS 3: cost_option, in US dollars.';
comment on column cost_options.amount_cents is 'HSDS 3: cost_option.amount, there in dollars.';
comment on column cost_options.note is 'What it pays for, or who pays. HSDS 3: cost_option.amount_description.';

create table language_notes (
    id               uuid primary key default gen_random_uuid(),
    service_id       uuid not null references services,
    language         text not null check (language ~ '^[a-z]{2,3}$'),
    note             text not null check (note <> ''),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null)),
    unique (service_id, language)
);
create index on language_notes (service_id, language, id);
create index on language_notes (source_id);
comment on table language_notes is
    'What else is known of a language that a service is given in, such as "not always". HSDS 3: language (code, note).';

-- One statement, however many rows: a load adds them by the thousand.
create function gather_for_services() returns trigger language plpgsql set search_path from current as $$
declare
    ids uuid[];
begin
    execute 'select array_agg(distinct service_id order by service_id) from (select service_id from touched'
        || case tg_op when 'UPDATE' then ' union all select service_id from before' else '' end || ') t' into ids;
    -- Whoever else changes what belongs to the same service waits here, and then sees what we did.
    perform from services where id = any (ids) order by id for no key update;
    execute format(
        'update services s set %1$I = g.items from ('
        '  select u.id, array_agg(distinct t.%2$I order by t.%2$I) filter (where t.%2$I is not null) as items'
        '  from unnest($1) u(id) left join %3$s t on t.service_id = u.id group by u.id) g'
        ' where s.id = g.id and s.%1$I is distinct from g.items',
        tg_argv[0], tg_argv[1], tg_relid::regclass) using ids;
    return null;
end $$;
comment on function gather_for_services() is 'Keeps an array of services equal to what the rows of another table say.';

create trigger gather_inserted after insert on required_documents referencing new table as touched
    for each statement execute function gather_for_services('documents', 'document');
create trigger gather_updated after update on required_documents referencing old table as before new table as touched
    for each statement execute function gather_for_services('documents', 'document');
create trigger gather_deleted after delete on required_documents referencing old table as touched
    for each statement execute function gather_for_services('documents', 'document');
create trigger gather_inserted after insert on cost_options referencing new table as touched
    for each statement execute function gather_for_services('fees', 'option');
create trigger gather_updated after update on cost_options referencing old table as before new table as touched
    for each statement execute function gather_for_services('fees', 'option');
create trigger gather_deleted after delete on cost_options referencing old table as touched
    for each statement execute function gather_for_services('fees', 'option');
create trigger gather_inserted after insert on language_notes referencing new table as touched
    for each statement execute function gather_for_services('noted_languages', 'language');
create trigger gather_updated after update on language_notes referencing old table as before new table as touched
    for each statement execute function gather_for_services('noted_languages', 'language');
create trigger gather_deleted after delete on language_notes referencing old table as touched
    for each statement execute function gather_for_services('noted_languages', 'language');

create function gather_accessibility() returns trigger language plpgsql set search_path from current as $$
declare
    ids uuid[];
begin
    if tg_table_name = 'locations' then
        select array_agg(distinct a.service_id order by a.service_id) into ids
        from touched t join before b on b.id = t.id join services_at_locations a on a.location_id = t.id
        where t.accessibility <> b.accessibility;
    else
        execute 'select array_agg(distinct service_id order by service_id) from (select service_id from touched'
            || case tg_op when 'UPDATE' then ' union all select service_id from before' else '' end || ') t' into ids;
    end if;
    perform from services where id = any (ids) order by id for no key update;
    update services s set accessibility = g.items
    from (select u.id, array_agg(distinct f.feature order by f.feature) filter (where f.feature is not null) as items
          from unnest(ids) u (id)
          left join services_at_locations a on a.service_id = u.id
          left join locations l on l.id = a.location_id
          left join unnest(l.accessibility) f (feature) on true
          group by u.id) g
    where s.id = g.id and s.accessibility is distinct from g.items;
    return null;
end $$;
comment on function gather_accessibility() is 'Keeps services.accessibility equal to what their places have.';

create trigger gather_inserted after insert on services_at_locations referencing new table as touched
    for each statement execute function gather_accessibility();
create trigger gather_updated after update on services_at_locations referencing old table as before new table as touched
    for each statement execute function gather_accessibility();
create trigger gather_deleted after delete on services_at_locations referencing old table as touched
    for each statement execute function gather_accessibility();
create trigger gather_updated after update on locations referencing old table as before new table as touched
    for each statement execute function gather_accessibility();
-- What was there before the triggers.
update services s set accessibility = g.items
from (select a.service_id, array_agg(distinct f.feature order by f.feature) as items
      from services_at_locations a join locations l on l.id = a.location_id, unnest(l.accessibility) f (feature)
      group by a.service_id) g
where s.id = g.service_id;

-- What the words of sources mean in our codes. The loader applies it, line by line.
create table meanings (
    id               uuid primary key,
    said_in          text not null check (said_in in ('SERVES', 'SERVICES')),
    word             text not null check (word <> ''),
    alone            boolean not null,
    criterion        text not null check (criterion in ('AUDIENCE', 'RECORD', 'GENDER', 'REFERRAL', 'FEES')),
    code             text not null check (code <> ''),
    note             text check (note <> ''),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null)),
    unique (said_in, word, alone, criterion, code)
);
create index on meanings (source_id);
comment on table meanings is
    'What a word of a source says about who may come; the reading is ours. HSDS 3 has no such object: it goes before taxonomy_term.';
comment on column meanings.alone is 'Whether it says so only where it is all that a record says there.';

-- Capacity

create table service_capacities (
    id                     uuid primary key default gen_random_uuid(),
    service_at_location_id uuid not null references services_at_locations,
    unit                   text not null check (unit in ('BED', 'ROOM', 'APARTMENT', 'PLACE', 'APPOINTMENT')),
    available              integer not null check (available >= 0),
    maximum                integer check (maximum > 0),
    description            text check (description <> ''),
    counted_at             timestamptz not null,
    expires_after_hours    integer not null default 24 check (expires_after_hours between 1 and 8760),
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id              uuid not null references sources,
    source_record_id       text,
    retrieved_at           date,
    created_at             timestamptz not null default now(),
    updated_at             timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null)),
    unique nulls not distinct (service_at_location_id, unit, description),
    check (available <= maximum)
);
create index on service_capacities (service_at_location_id, unit, id);
create index on service_capacities (source_id);
comment on table service_capacities is 'How much is free, of what. HSDS 3.1: service_capacity with its unit, at one location.';
comment on column service_capacities.description is 'For whom, or which kind, such as beds for women. HSDS 3.1: service_capacity.description.';
comment on column service_capacities.counted_at is 'When it was so. HSDS 3.1: service_capacity.updated.';
comment on column service_capacities.expires_after_hours is 'After so long, nobody knows any more.';

create function capacity_is_current(counted_at timestamptz, expires_after_hours integer) returns boolean
    language sql stable parallel safe
    return counted_at <= clock() and clock() < counted_at + expires_after_hours * interval '1 hour';
create function capacity_available(available integer, counted_at timestamptz, expires_after_hours integer) returns integer
    language sql stable parallel safe
    return case when capacity_is_current(counted_at, expires_after_hours) then available end;
create function capacity_expires_at(counted_at timestamptz, expires_after_hours integer) returns timestamptz
    language sql immutable parallel safe
    return counted_at + expires_after_hours * interval '1 hour';

-- Whether it fits: a verdict for each criterion, null where it is nobody's concern. Each is a single
-- expression, so that Postgres can look into it, and leaves out what nobody asked for.

create function audience_verdict(
    audience text[], audience_only boolean, own text[], not_own text[], own_gender text
) returns verdict language sql immutable parallel safe return case
    when audience is null then case when own is not null or not_own is not null then 'UNKNOWN'::verdict end
    when audience && own
      or 'FORMERLY_INCARCERATED' = any (audience) and 'PAROLE' = any (own)
      or 'WOMEN' = any (audience) and own_gender = 'FEMALE'
      or 'MEN' = any (audience) and own_gender = 'MALE' then 'FITS'
    when audience_only and audience <@ (not_own || case own_gender when 'FEMALE' then array['MEN'] when 'MALE' then array['WOMEN'] end)
        then 'DOES_NOT_FIT'
    when audience_only or own is not null or not_own is not null
      or own_gender is not null and audience && array['WOMEN', 'MEN'] then 'UNKNOWN' end;
comment on function audience_verdict(text[], boolean, text[], text[], text) is
    'Whom the source names is not whom it turns away: only where nobody else may come does it not fit.';

create function has_a_record(has_record boolean, offences text[], own text[]) returns boolean
    language sql immutable parallel safe
    return coalesce(has_record, case when offences <> '{}' then true end, have_records(own));

create function record_verdict(accepted boolean, has_record boolean) returns verdict
    language sql immutable parallel safe return case
    when has_record then case accepted when true then 'FITS'::verdict when false then 'DOES_NOT_FIT' else 'UNKNOWN' end
    when not accepted then case when has_record is null then 'UNKNOWN'::verdict else 'FITS' end end;

create function offence_verdict(excluded text[], offences text[], has_record boolean) returns verdict
    language sql immutable parallel safe return case
    when excluded is null then case when offences <> '{}' then 'UNKNOWN'::verdict end
    when offences && excluded then 'DOES_NOT_FIT'
    when offences is not null or not has_record then 'FITS'
    when excluded <> '{}' then 'UNKNOWN' end;

create function gender_verdict(gender text, own text) returns verdict
    language sql immutable parallel safe return case
    when gender is null then case when own is not null then 'UNKNOWN'::verdict end
    when gender = 'ANY' then case when own is not null then 'FITS'::verdict end
    when own = gender then 'FITS'
    when own is null or own = 'NONBINARY' then 'UNKNOWN'
    else 'DOES_NOT_FIT' end;

create function age_verdict(lowest integer, highest integer, age integer) returns verdict
    language sql immutable parallel safe return case
    when lowest is null and highest is null then case when age is not null then 'UNKNOWN'::verdict end
    when age is null then 'UNKNOWN'
    when age < lowest or age > highest then 'DOES_NOT_FIT'
    else 'FITS' end;

create function release_verdict(first integer, last integer, days integer) returns verdict
    language sql immutable parallel safe return case
    when first is null and last is null then null
    when days is null then 'UNKNOWN'::verdict
    when days < first or days > last then 'DOES_NOT_FIT'
    else 'FITS' end;

create function referral_verdict(routes text[], own text[]) returns verdict
    language sql immutable parallel safe return case
    when routes is null then case when own is not null then 'UNKNOWN'::verdict end
    when routes && array['SELF', 'ANY'] or routes && own or 'ANY' = any (own) then 'FITS'
    when own is null then 'UNKNOWN'
    else 'DOES_NOT_FIT' end;

create function without(items text[], others text[]) returns text[]
    language sql immutable parallel safe
    return array(select item from unnest(items) with ordinality t(item, n) where item <> all (coalesce(others, '{}')) order by n);

-- A language that is not named may be spoken all the same, and who is publicly funded has to help: never a no.
create function language_verdict(languages text[], noted text[], spoken text[]) returns verdict
    language sql immutable parallel safe return case
    when spoken is null then null
    when case when noted is null then languages else without(languages, noted) end && spoken then 'FITS'::verdict
    else 'UNKNOWN' end;

-- A paper can be got, or another one do: never a no.
create function documents_verdict(required text[], held text[]) returns verdict
    language sql immutable parallel safe return case
    when required is null then case when held is not null then 'UNKNOWN'::verdict end
    when required <@ (held || array['NONE']) then 'FITS'
    else 'UNKNOWN' end;

create function fees_verdict(fees text[], only_free boolean) returns verdict
    language sql immutable parallel safe return case
    when only_free then case
        when fees is null then 'UNKNOWN'::verdict
        when 'FREE' = any (fees) then 'FITS'
        when fees = array['FIXED'] then 'DOES_NOT_FIT'
        else 'UNKNOWN' end end;

-- Where a service is, and what its place has, says whom it is near, not whom it turns away: never a no.
create function place_verdict(asked boolean, there boolean) returns verdict
    language sql immutable parallel safe return case
    when asked then case when there then 'FITS'::verdict else 'UNKNOWN' end end;

create function condition_verdict(conditions text) returns verdict
    language sql immutable parallel safe return case when conditions is not null then 'UNKNOWN'::verdict end;

-- What somebody has to tell us so that a criterion concerns them; what a service has to have said to fit.
create function criteria_of(
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    referral text[], spoken text[], held text[], only_free boolean, needs text[]
) returns text[] language sql immutable parallel safe return array_remove(array[
    case when own_audience is not null or not_audience is not null then 'AUDIENCE' end,
    case when has_a_record(has_record, offences, own_audience) then 'RECORD' end,
    case when offences <> '{}' then 'OFFENCE' end,
    case when own_gender is not null then 'GENDER' end,
    case when age is not null then 'AGE' end,
    case when referral is not null then 'REFERRAL' end,
    case when spoken is not null then 'LANGUAGE' end,
    case when held is not null then 'DOCUMENTS' end,
    case when only_free then 'FEES' end,
    case when needs is not null then 'ACCESSIBILITY' end]::text[], null);

-- Services

-- A place has to have all of it; what several places have together helps nobody.
create function is_accessible(service_id uuid, needs text[]) returns boolean
    language sql stable parallel safe
    begin atomic
        select exists (
            select from services_at_locations a join locations l on l.id = a.location_id
            where a.service_id = is_accessible.service_id and l.accessibility @> needs);
    end;

-- The verdict on all: one expression of columns and arguments, for filters that look at many rows.
create function verdict_of(
    audience text[], audience_only boolean, accepted boolean, excluded text[], gender text, lowest integer,
    highest integer, first_day integer, last_day integer, routes text[], languages text[], noted text[],
    required text[], fees text[], here boolean, accessible boolean, conditions text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns verdict language sql immutable parallel safe return coalesce(greatest(
    audience_verdict(audience, audience_only, nullif(own_audience, '{}'), nullif(not_audience, '{}'), own_gender),
    record_verdict(coalesce(accepted, have_records(audience)), has_a_record(has_record, offences, own_audience)),
    offence_verdict(excluded, offences, has_a_record(has_record, offences, own_audience)),
    gender_verdict(gender, own_gender),
    age_verdict(lowest, highest, age),
    release_verdict(first_day, last_day, days_since_release),
    referral_verdict(routes, nullif(referral, '{}')),
    language_verdict(languages, noted, nullif(spoken, '{}')),
    documents_verdict(required, held),
    fees_verdict(fees, only_free),
    place_verdict(county is not null, here),
    place_verdict(needs <> '{}', accessible),
    condition_verdict(conditions)), 'UNKNOWN');

-- What fits for certain has said something about everything that is asked: an index finds that.
create function service_fits(
    criteria text[],
    id uuid, audience text[], audience_only boolean, accepted boolean, excluded text[], gender text, lowest integer,
    highest integer, routes text[], languages text[], noted text[], required text[], fees text[], county_fips text,
    accessibility text[], conditions text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns boolean language sql stable parallel safe return
    criteria @> criteria_of(
        nullif(own_audience, '{}'), nullif(not_audience, '{}'), has_record, offences, own_gender, age,
        nullif(referral, '{}'), nullif(spoken, '{}'), held, only_free, nullif(needs, '{}'))
    and verdict_of(
        audience, audience_only, accepted, excluded, gender, lowest, highest, null, null, routes, languages, noted,
        required, fees, county_fips = county,
        case when needs <> '{}' then case when accessibility @> needs then is_accessible(id, needs) end end, conditions,
        own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral, spoken, held,
        only_free, county, needs) = 'FITS';

-- What nothing is known to be against. The place is never against anybody, so nobody looks there.
create function service_may_fit(
    audience text[], audience_only boolean, accepted boolean, excluded text[], gender text, lowest integer,
    highest integer, routes text[], languages text[], noted text[], required text[], fees text[], conditions text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns boolean language sql immutable parallel safe return
    verdict_of(
        audience, audience_only, accepted, excluded, gender, lowest, highest, null, null, routes, languages, noted,
        required, fees, null, null, conditions,
        own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral, spoken, held,
        only_free, null, null) <> 'DOES_NOT_FIT';

-- Reentry programs and programs, whose tables are small

create function reentry_program_is_in(reentry_program_id uuid, county text) returns boolean
    language sql stable parallel safe
    begin atomic
        select exists (
            select from reentry_program_counties c
            where c.reentry_program_id = reentry_program_is_in.reentry_program_id and c.county_fips = county);
    end;

create function reentry_program_verdict(
    id uuid, audience text[], gender text, first_day integer, last_day integer, routes text[], statewide boolean,
    conditions text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns verdict language sql stable parallel safe return
    verdict_of(
        audience, true, null, null, gender, null, null, first_day, last_day, routes, '{}', null, null, null,
        case when county is not null then statewide or reentry_program_is_in(id, county) end, null, conditions,
        own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral, spoken, held,
        only_free, county, needs);

create function reentry_program_fits(
    id uuid, audience text[], gender text, first_day integer, last_day integer, routes text[], statewide boolean,
    conditions text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns boolean language sql stable parallel safe return
    reentry_program_verdict(
        id, audience, gender, first_day, last_day, routes, statewide, conditions,
        own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral, spoken, held,
        only_free, county, needs) = 'FITS';

create function reentry_program_may_fit(
    id uuid, audience text[], gender text, first_day integer, last_day integer, routes text[], statewide boolean,
    conditions text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns boolean language sql stable parallel safe return
    reentry_program_verdict(
        id, audience, gender, first_day, last_day, routes, statewide, conditions,
        own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral, spoken, held,
        only_free, county, needs) <> 'DOES_NOT_FIT';

create function program_verdict(
    audience text[], scope text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns verdict language sql immutable parallel safe return
    verdict_of(
        nullif(audience, '{}'), true, null, null, null, null, null, null, null, null, '{}', null, null, null,
        scope = 'STATEWIDE', null, null,
        own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral, spoken, held,
        only_free, county, needs);

create function program_fits(
    audience text[], scope text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns boolean language sql immutable parallel safe return
    program_verdict(
        audience, scope, own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral,
        spoken, held, only_free, county, needs) = 'FITS';

create function program_may_fit(
    audience text[], scope text,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns boolean language sql immutable parallel safe return
    program_verdict(
        audience, scope, own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral,
        spoken, held, only_free, county, needs) <> 'DOES_NOT_FIT';

create function accepts_age(ages int4range, age integer) returns boolean
    language sql immutable parallel safe return ages @> age;
