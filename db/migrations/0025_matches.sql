-- Why something fits a situation or not, criterion by criterion, in words that can be shown to people.

create table reason_texts (
    code    text primary key check (code ~ '^[A-Z][A-Z_]*$'),
    text_en text not null check (text_en <> ''),
    text_es text not null check (text_es <> ''),
    check ((text_en like '%{}%') = (text_es like '%{}%'))
);
comment on table reason_texts is
    'What is said about a criterion with a verdict; {} stands for what is known. HSDS 3 has no such object.';

insert into reason_texts (code, text_en, text_es) values
    ('AUDIENCE_FITS', 'It is for: {}.', 'Es para: {}.'),
    ('AUDIENCE_DOES_NOT_FIT', 'It is only for: {}.', 'Es solo para: {}.'),
    ('AUDIENCE_UNKNOWN', 'It is for: {}. Ask whether you may come.', 'Es para: {}. Pregunte si usted puede ir.'),
    ('AUDIENCE_UNKNOWN_SILENT', 'Ask who may come.', 'Pregunte quién puede ir.'),
    ('RECORD_FITS', 'People with a record may come.', 'Pueden ir personas con antecedentes penales.'),
    ('RECORD_FITS_NONE', 'One may not have a record.', 'No se puede tener antecedentes penales.'),
    ('RECORD_DOES_NOT_FIT', 'People with a record may not come.', 'No pueden ir personas con antecedentes penales.'),
    ('RECORD_UNKNOWN', 'People with a record may not come. Ask if you are not sure.',
        'No pueden ir personas con antecedentes penales. Pregunte si tiene dudas.'),
    ('RECORD_UNKNOWN_SILENT', 'Ask whether people with a record may come.',
        'Pregunte si pueden ir personas con antecedentes penales.'),
    ('OFFENCE_FITS', 'No offence of yours is a hindrance.', 'Ningún delito suyo es un impedimento.'),
    ('OFFENCE_DOES_NOT_FIT', 'People with these offences may not come: {}.', 'No pueden ir personas con estos delitos: {}.'),
    ('OFFENCE_UNKNOWN', 'People with these offences may not come: {}. Ask if you are not sure.',
        'No pueden ir personas con estos delitos: {}. Pregunte si tiene dudas.'),
    ('OFFENCE_UNKNOWN_SILENT', 'Ask whether an offence is a hindrance.', 'Pregunte si algún delito es un impedimento.'),
    ('GENDER_FITS', 'It is for: {}.', 'Es para: {}.'),
    ('GENDER_DOES_NOT_FIT', 'It is only for: {}.', 'Es solo para: {}.'),
    ('GENDER_UNKNOWN', 'It is for: {}. Ask whether you may come.', 'Es para: {}. Pregunte si usted puede ir.'),
    ('GENDER_UNKNOWN_SILENT', 'Ask whether people of any gender may come.',
        'Pregunte si pueden ir personas de cualquier género.'),
    ('AGE_FITS', 'It is for people of this age: {}.', 'Es para personas de esta edad: {}.'),
    ('AGE_DOES_NOT_FIT', 'It is only for people of this age: {}.', 'Es solo para personas de esta edad: {}.'),
    ('AGE_UNKNOWN', 'It is only for people of this age: {}. Ask if you are not sure.',
        'Es solo para personas de esta edad: {}. Pregunte si tiene dudas.'),
    ('AGE_UNKNOWN_SILENT', 'Ask whether there is a limit of age.', 'Pregunte si hay un límite de edad.'),
    ('RELEASE_FITS', 'The time to enter is: {}.', 'El momento para entrar es: {}.'),
    ('RELEASE_DOES_NOT_FIT', 'One can enter only at this time: {}.', 'Solo se puede entrar en este momento: {}.'),
    ('RELEASE_UNKNOWN', 'One can enter only at this time: {}. Ask if you are not sure.',
        'Solo se puede entrar en este momento: {}. Pregunte si tiene dudas.'),
    ('REFERRAL_FITS', 'They take people who are sent by: {}.', 'Aceptan a personas enviadas por: {}.'),
    ('REFERRAL_FITS_SELF', 'You can come by yourself.', 'Puede ir por su cuenta.'),
    ('REFERRAL_DOES_NOT_FIT', 'Somebody has to send you: {}.', 'Alguien le tiene que enviar: {}.'),
    ('REFERRAL_UNKNOWN', 'Somebody has to send you: {}. Ask them.', 'Alguien le tiene que enviar: {}. Pregúnteles.'),
    ('REFERRAL_UNKNOWN_SILENT', 'Ask whether you can come by yourself.', 'Pregunte si puede ir por su cuenta.'),
    ('LANGUAGE_FITS', 'They speak: {}.', 'Hablan: {}.'),
    ('LANGUAGE_UNKNOWN', 'They name these languages: {}. Ask for yours.', 'Nombran estos idiomas: {}. Pregunte por el suyo.'),
    ('LANGUAGE_UNKNOWN_NOTED', 'They speak, with a remark: {}. Ask before you go.',
        'Hablan, con una observación: {}. Pregunte antes de ir.'),
    ('LANGUAGE_UNKNOWN_INTERPRETED', 'They have interpreters: "{}". Ask for your language.',
        'Tienen intérpretes: «{}». Pregunte por su idioma.'),
    ('LANGUAGE_UNKNOWN_SILENT', 'Ask which languages they speak.', 'Pregunte qué idiomas hablan.'),
    ('DOCUMENTS_FITS', 'Bring these papers: {}.', 'Lleve estos documentos: {}.'),
    ('DOCUMENTS_FITS_NONE', 'You need no papers.', 'No necesita documentos.'),
    ('DOCUMENTS_UNKNOWN', 'They want to see: {}. Ask what else they take.', 'Piden ver: {}. Pregunte qué más aceptan.'),
    ('DOCUMENTS_UNKNOWN_SILENT', 'Ask which papers to bring.', 'Pregunte qué documentos llevar.'),
    ('FEES_FITS', 'It can be had for nothing.', 'Se puede obtener gratis.'),
    ('FEES_DOES_NOT_FIT', 'It costs: {}.', 'Cuesta: {}.'),
    ('FEES_UNKNOWN', 'What it costs depends: {}. Ask what you would pay.', 'Lo que cuesta depende: {}. Pregunte cuánto pagaría.'),
    ('FEES_UNKNOWN_SILENT', 'Ask what it costs.', 'Pregunte cuánto cuesta.'),
    ('COUNTY_FITS', 'It is in your county.', 'Está en su condado.'),
    ('COUNTY_FITS_STATEWIDE', 'It is in the whole state.', 'Está en todo el estado.'),
    ('COUNTY_UNKNOWN', 'It is in: {}. Ask whether people from your county may come.',
        'Está en: {}. Pregunte si pueden ir personas de su condado.'),
    ('COUNTY_UNKNOWN_SILENT', 'Ask whether people from your county may come.',
        'Pregunte si pueden ir personas de su condado.'),
    ('ACCESSIBILITY_FITS', 'The place has what you need: {}.', 'El lugar tiene lo que necesita: {}.'),
    ('ACCESSIBILITY_UNKNOWN', 'Ask whether the place has: {}.', 'Pregunte si el lugar tiene: {}.'),
    ('IN_WORDS', 'The source says: "{}".', 'La fuente dice: «{}».'),
    ('CONDITION_UNKNOWN', 'Ask about this condition, in the words of the source: "{}".',
        'Pregunte por esta condición, en palabras de la fuente: «{}».');

-- What is known of who may come, of whatever kind of record; and what somebody told of themselves.

create type rules as (
    audience text[], audience_only boolean, accepted boolean, excluded text[], gender text, lowest integer,
    highest integer, first_day integer, last_day integer, routes text[], languages text[], noted text[],
    remarks_en text, remarks_es text, interpretation text, required text[], fees text[], prices text,
    everywhere boolean, here boolean, counties text, accessible boolean, conditions text,
    audience_words text, referral_words text, fees_words text
);
create type situation as (
    audience text[], not_audience text[], has_record boolean, offences text[], gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
);
create type reason as (place integer, criterion text, verdict text, text_en text, text_es text);

-- A list that is empty says nothing, but for offences and papers: there it says that there are none.
create function situation_of(
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns situation language sql immutable parallel safe return row (
    nullif(own_audience, '{}'), nullif(not_audience, '{}'), has_a_record(has_record, offences, own_audience), offences,
    own_gender, age, days_since_release, nullif(referral, '{}'), nullif(spoken, '{}'), held, only_free, county,
    nullif(needs, '{}'))::situation;

create function term(vocabulary text, code text, lang text) returns text
    language sql stable parallel safe
    begin atomic
        select coalesce((
            select case lang when 'ES' then t.label_es else t.label_en end
            from terms t where t.vocabulary = term.vocabulary and t.code = term.code), code);
    end;
comment on function term(text, text, text) is 'What a code is called; the code itself where nobody has named it.';

create function document_name(document text, lang text) returns text
    language sql stable parallel safe return term('DOCUMENT', document, lang);

create function named(vocabulary text, codes text[], lang text) returns text
    language sql stable parallel safe
    begin atomic
        select string_agg(term(vocabulary, code, lang), ', ' order by n) from unnest(codes) with ordinality t(code, n);
    end;

create function age_words(lowest integer, highest integer, lang text) returns text
    language sql immutable parallel safe return case
    when highest is null then format(case lang when 'ES' then 'desde los %s años' else '%s years or more' end, lowest)
    when coalesce(lowest, 0) = 0 then format(case lang when 'ES' then 'hasta los %s años' else 'up to %s years' end, highest)
    else format(case lang when 'ES' then 'de %s a %s años' else '%s to %s years' end, lowest, highest) end;

create function day_words(day integer, lang text) returns text
    language sql immutable parallel safe return case
    when day < 0 then format(case lang when 'ES' then '%s días antes de la salida' else '%s days before release' end, -day)
    when day = 0 then case lang when 'ES' then 'el día de la salida' else 'the day of release' end
    else format(case lang when 'ES' then '%s días después de la salida' else '%s days after release' end, day) end;

create function release_words(first_day integer, last_day integer, lang text) returns text
    language sql immutable parallel safe return case
    when last_day is null then format(case lang when 'ES' then 'desde %s' else 'from %s on' end, day_words(first_day, lang))
    when first_day is null then format(case lang when 'ES' then 'hasta %s' else 'until %s' end, day_words(last_day, lang))
    else format(case lang when 'ES' then 'desde %s hasta %s' else 'from %s to %s' end,
                day_words(first_day, lang), day_words(last_day, lang)) end;

create function reasons(r rules, s situation) returns reason[]
    language sql stable parallel safe
    begin atomic
        with judged (place, criterion, verdict, variant, known_en, known_es, words) as (
            select 1, 'AUDIENCE', audience_verdict(r.audience, r.audience_only, s.audience, s.not_audience, s.gender),
                   case when r.audience is null then 'SILENT' end,
                   named('AUDIENCE', r.audience, 'EN'), named('AUDIENCE', r.audience, 'ES'), r.audience_words
            union all
            select 2, 'RECORD', record_verdict(r.accepted, s.has_record),
                   case when r.accepted is null then 'SILENT' when not r.accepted and not s.has_record then 'NONE' end,
                   null, null, null
            union all
            select 3, 'OFFENCE', v, case when r.excluded is null then 'SILENT' end,
                   named('OFFENCE', said, 'EN'), named('OFFENCE', said, 'ES'), null
            from offence_verdict(r.excluded, s.offences, s.has_record) v,
                 lateral (select case v when 'DOES_NOT_FIT' then without(r.excluded, without(r.excluded, s.offences))
                                 else r.excluded end) t(said)
            union all
            select 4, 'GENDER', gender_verdict(r.gender, s.gender), case when r.gender is null then 'SILENT' end,
                   term('GENDER', r.gender, 'EN'), term('GENDER', r.gender, 'ES'), null
            union all
            select 5, 'AGE', age_verdict(r.lowest, r.highest, s.age),
                   case when r.lowest is null and r.highest is null then 'SILENT' end,
                   age_words(r.lowest, r.highest, 'EN'), age_words(r.lowest, r.highest, 'ES'), null
            union all
            select 6, 'RELEASE', release_verdict(r.first_day, r.last_day, s.days_since_release), null,
                   release_words(r.first_day, r.last_day, 'EN'), release_words(r.first_day, r.last_day, 'ES'), null
            union all
            select 7, 'REFERRAL', referral_verdict(r.routes, s.referral),
                   case when r.routes is null then 'SILENT' when r.routes && array['SELF', 'ANY'] then 'SELF' end,
                   named('REFERRAL_ROUTE', r.routes, 'EN'), named('REFERRAL_ROUTE', r.routes, 'ES'),
                   r.referral_words
            union all
            select 8, 'LANGUAGE', v,
                   case when v = 'FITS' then null
                        when r.remarks_en is not null then 'NOTED'
                        when r.interpretation is not null then 'INTERPRETED'
                        when r.languages is null then 'SILENT' end,
                   case when v = 'FITS' then named('LANGUAGE', spoken, 'EN')
                        else coalesce(r.remarks_en, r.interpretation, named('LANGUAGE', r.languages, 'EN')) end,
                   case when v = 'FITS' then named('LANGUAGE', spoken, 'ES')
                        else coalesce(r.remarks_es, r.interpretation, named('LANGUAGE', r.languages, 'ES')) end,
                   null
            from language_verdict(coalesce(r.languages, '{}'), r.noted, s.spoken) v,
                 lateral (select without(s.spoken, without(s.spoken, without(r.languages, r.noted)))) t(spoken)
            union all
            select 9, 'DOCUMENTS', v,
                   case when r.required is null then 'SILENT' when r.required = array['NONE'] then 'NONE' end,
                   named('DOCUMENT', said, 'EN'), named('DOCUMENT', said, 'ES'), null
            from documents_verdict(r.required, s.held) v,
                 lateral (select case v when 'FITS' then r.required else without(r.required, s.held) end) t(said)
            union all
            select 10, 'FEES', v, case when r.fees is null then 'SILENT' end,
                   case v when 'DOES_NOT_FIT' then coalesce(r.prices, named('COST_OPTION', r.fees, 'EN'))
                          else named('COST_OPTION', r.fees, 'EN') end,
                   case v when 'DOES_NOT_FIT' then coalesce(r.prices, named('COST_OPTION', r.fees, 'ES'))
                          else named('COST_OPTION', r.fees, 'ES') end,
                   r.fees_words
            from fees_verdict(r.fees, s.only_free) v
            union all
            select 11, 'COUNTY', place_verdict(s.county is not null, coalesce(r.everywhere, false) or coalesce(r.here, false)),
                   case when r.everywhere then 'STATEWIDE' when r.counties is null then 'SILENT' end,
                   r.counties, r.counties, null
            union all
            select 12, 'ACCESSIBILITY', place_verdict(s.needs is not null, r.accessible), null,
                   named('ACCESSIBILITY', s.needs, 'EN'), named('ACCESSIBILITY', s.needs, 'ES'), null
            union all
            select 13, 'CONDITION', condition_verdict(r.conditions), null, r.conditions, r.conditions, null
        )
        select array_agg(
            row (place, criterion, verdict::text,
                 replace(t.text_en, '{}', coalesce(known_en, '')) || coalesce(' ' || replace(w.text_en, '{}', words), ''),
                 replace(t.text_es, '{}', coalesce(known_es, '')) || coalesce(' ' || replace(w.text_es, '{}', words), '')
                )::reason order by place)
        from judged
        join reason_texts w on w.code = 'IN_WORDS'
        left join reason_texts t on t.code = concat_ws('_', criterion, verdict::text, variant)
        where verdict is not null;
    end;
comment on function reasons(rules, situation) is
    'The verdict on each criterion that somebody cares about, always in this order; null if there is none.';

create function whole(reasons reason[]) returns text
    language sql immutable parallel safe
    begin atomic
        select coalesce(max(verdict::verdict), 'UNKNOWN')::text from unnest(reasons);
    end;
comment on function whole(reason[]) is 'The verdict on all: where nothing at all is known, it is not known.';

create function each_reason(reasons reason[]) returns setof reason
    language sql immutable parallel safe
    begin atomic
        select r.* from unnest(reasons) r;
    end;

create function service_match(
    id uuid,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns table (verdict text, reasons reason[]) language sql stable parallel safe
    begin atomic
        select whole(found), found
        from situation_of(own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral,
                          spoken, held, only_free, county, needs) s,
             services v,
             lateral (
                select string_agg(term('LANGUAGE', n.language, 'EN') || ' (' || n.note || ')', ', ' order by n.language),
                       string_agg(term('LANGUAGE', n.language, 'ES') || ' (' || n.note || ')', ', ' order by n.language)
                from language_notes n where n.service_id = v.id and n.language = any (v.languages) and n.language = any (s.spoken)
             ) remarks (en, es),
             lateral reasons(row (
                v.audience, v.audience_only, coalesce(v.accepts_people_with_records, have_records(v.audience)),
                v.offence_exclusions, v.gender, v.minimum_age, v.maximum_age, null, null, v.referral_routes,
                nullif(v.languages, '{}'), v.noted_languages, remarks.en, remarks.es, v.interpretation_services,
                v.documents, v.fees,
                (select string_agg('$' || to_char(c.amount_cents / 100.0, 'FM999999990.00') || coalesce(' (' || c.note || ')', ''),
                                   ', ' order by c.amount_cents, c.id)
                 from cost_options c where c.service_id = v.id and c.option = 'FIXED'),
                false, v.county_fips = s.county, (select c.name from counties c where c.fips = v.county_fips),
                is_accessible(v.id, s.needs), v.conditions, v.eligibility_description, v.application_process,
                v.fees_description)::rules, s) found
        where v.id = service_match.id;
    end;

create function reentry_program_match(
    id uuid,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns table (verdict text, reasons reason[]) language sql stable parallel safe
    begin atomic
        select whole(found), found
        from situation_of(own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral,
                          spoken, held, only_free, county, needs) s,
             reentry_programs v,
             lateral reasons(row (
                v.audience, true, have_records(v.audience), null, v.gender, null, null, v.entry_from_days, v.entry_to_days,
                v.referral_routes, null, null, null, null, null, null, null, null, v.statewide,
                exists (select from reentry_program_counties c where c.reentry_program_id = v.id and c.county_fips = s.county),
                (select string_agg(c.name, ', ' order by c.name) from reentry_program_counties r
                 join counties c on c.fips = r.county_fips where r.reentry_program_id = v.id),
                null, v.conditions, v.eligibility, coalesce(v.referral_route, v.application_process), null)::rules, s) found
        where v.id = reentry_program_match.id;
    end;

create function program_match(
    id uuid,
    own_audience text[], not_audience text[], has_record boolean, offences text[], own_gender text, age integer,
    days_since_release integer, referral text[], spoken text[], held text[], only_free boolean, county text, needs text[]
) returns table (verdict text, reasons reason[]) language sql stable parallel safe
    begin atomic
        select whole(found), found
        from situation_of(own_audience, not_audience, has_record, offences, own_gender, age, days_since_release, referral,
                          spoken, held, only_free, county, needs) s,
             programs v,
             lateral reasons(row (
                nullif(v.audience, '{}'), true, have_records(v.audience), null, null, null, null, null, null, null, null,
                null, null, null, null, null, null, null, v.scope = 'STATEWIDE', null, null, null, null, null,
                null, null)::rules, s) found
        where v.id = program_match.id;
    end;
