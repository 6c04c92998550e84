-- What can be found: documents of all records, always as the records are.
--
-- The view `searchable` says what the documents are, the table `search_documents` keeps them. They
-- cannot differ once a transaction has ended. Triggers note which rows a statement has changed;
-- before the transaction commits, one after the other under a lock, the documents of these rows are
-- made anew from what is committed by then. A trigger that wrote the document at once would miss
-- what somebody else is just writing, and each of the two would keep a document without the other's
-- change.

-- Phrases ---------------------------------------------------------------------------------------

create view searchable_phrases as
with recursive within (code, wider) as (
    select code, code from categories
    union
    select c.code, w.wider from categories c join within w on w.code = c.parent_code
),
said (phrase, lang, concept, category_code, mark, narrower) as (
    select label_en, 'english'::regconfig, code, code, null, false from categories
    union all
    select label_es, 'spanish', code, code, null, false from categories where label_es is not null
    union all
    select t.text, 'spanish', c.code, c.code, null, false from categories c
    join translations t on t.category_code = c.code and t.field = 'label' and t.language = 'ES' and t.original = c.label_en
    union all
    select unnest(english), 'english', code, category_code, '%' || record_type, narrower from synonyms
    union all
    select unnest(spanish), 'spanish', code, category_code, '%' || record_type, narrower from synonyms
    union all
    select format(pattern, name), lang, '$' || fips, null, '$' || fips, false from counties,
           (values ('english'::regconfig, '%s'), ('english', '%s county'), ('spanish', '%s'), ('spanish', 'condado de %s')) forms (lang, pattern)
),
stemmed as (
    select distinct on (phrase, lang, concept) phrase, lang, concept, marks, narrower, words
    from (
        select plain(phrase) as phrase, lang, concept, narrower,
               array(select '@' || w.code from within w where w.wider = category_code order by 1) || array_remove(array[mark], null) as marks,
               case lang when 'spanish'::regconfig then spanish(plain(phrase)) else plain(phrase) end as words
        from said
    ) plainly
    order by phrase, lang, concept, narrower, marks
)
select phrase, lang, concept, marks, narrower, tsvector_to_array(to_tsvector(lang, words)) as lexemes,
       phraseto_tsquery(lang, words) as query
from stemmed
where to_tsvector(lang, words) <> '';
comment on view searchable_phrases is 'The phrases as they should be: labels, synonyms and the names of counties.';

-- Documents -------------------------------------------------------------------------------------

create function place_marks(positions cube[]) returns text[]
    language sql immutable parallel safe
    return array(
        select distinct '~' || size || '/' || floor(degrees(asin(greatest(-1, least(1, p -> 3)))) / size)
                        || '/' || floor(degrees(atan2(p -> 2, p -> 1)) / size)
        from unnest(positions) p, unnest(array[1, 0.1]) size);
comment on function place_marks is 'The squares of one degree and of a tenth of a degree in which a document is.';

create function share_marks(key text, title_words integer) returns text[]
    language sql immutable parallel safe
    -- Of two names with a word in common the shorter one is more about it, and more likely in a small share.
    return array(
        select '#' || size from unnest(array[10, 8, 6, 4, 2]) size
        where abs(hashtext(key)::bigint) * least(title_words, 16) / 4.0 < (2::bigint ^ (31 - size)));
comment on function share_marks is
    'In which shares of about 1/1024, 1/256, 1/64, 1/16 and 1/4 of all documents this one is; each share holds the smaller ones.';

create function document_words(
    names text[], spanish_names text[], belongs text[], body text[], spanish_body text[], place text[], marks text[])
returns tsvector language plpgsql stable parallel safe
    as $$
declare
    named tsvector := setweight(stems(array_to_string(names, ' '), 'english'), 'A');
    words tsvector;
    meant text[];
begin
    if spanish_names <> '{}' then
        named := named || setweight(stems(array_to_string(spanish_names, ' '), 'spanish'), 'A');
    end if;
    words := named;
    if belongs <> '{}' then
        words := words || setweight(stems(array_to_string(belongs, ' '), 'english'), 'B');
    end if;
    if body <> '{}' then
        words := words || setweight(stems(array_to_string(body, ' '), 'english'), 'C');
    end if;
    if spanish_body <> '{}' then
        words := words || setweight(stems(array_to_string(spanish_body, ' '), 'spanish'), 'C');
    end if;
    -- What the phrases among them mean.
    meant := array(
        select distinct mark
        from unnest(tsvector_to_array(words)) lexeme
        join search_phrases p on p.lexemes[1] = lexeme and words @@ p.query and p.concept ~ '^[A-Z]',
             unnest(case when named @@ p.query then array['<' || p.concept, '*' || p.concept] else array['<' || p.concept] end) mark);
    if place <> '{}' then
        -- A place has no stems.
        words := words || setweight(to_tsvector('simple', plain(array_to_string(place, ' '))), 'D');
    end if;
    return words || array_to_tsvector(marks || meant);
end
$$;
comment on function document_words is 'Everything that a document can be found by, as one tsvector.';

create view searchable as
with parts as (
    select 'INSTITUTION' as kind, i.id, null as code, i.name as title, null as spanish_title,
           array[i.code] || i.aliases || i.alternate_names as names,
           array[]::text[] as spanish_names,
           array[]::text[] as belongs,
           array[]::text[] as body,
           array[]::text[] as spanish_body,
           array[l.public_street, l.public_city, left(l.public_zip, 5)] as place,
           array(select h.number from phones h where h.institution_id = i.id) as phones,
           case when i.status in ('CLOSED', 'DEACTIVATED_UNIT') then 'CLOSED' else 'ACTIVE' end as status,
           true as listed,
           array[]::text[] as categories,
           array_remove(array[i.county_fips], null) as counties,
           array[]::text[] as languages,
           false as everywhere,
           array_remove(array[l.position], null) as positions
    from institutions i left join locations l on l.id = i.location_id
    union all
    select 'VISITOR_CENTER', v.id, null, v.name, null,
           array[]::text[],
           array[]::text[],
           array[i.name, i.code, o.name] || i.aliases || i.alternate_names,
           v.alert || array(select a.label_en from visitor_center_amenities c join visitor_amenities a on a.code = c.amenity_code
                            where c.visitor_center_id = v.id order by a.code),
           array(select t.text from translations t
                 where t.visitor_center_id = v.id and t.field = 'alert' and t.language = 'ES' and t.original = v.alert)
           || array(select a.label_es from visitor_center_amenities c join visitor_amenities a on a.code = c.amenity_code
                    where c.visitor_center_id = v.id order by a.code),
           array[l.public_street, l.public_city, left(l.public_zip, 5)],
           array(select h.number from phones h where h.visitor_center_id = v.id),
           case v.status when 'DEFUNCT' then 'CLOSED' when 'UNKNOWN' then null else v.status end,
           v.listed,
           array[]::text[],
           array_remove(array[i.county_fips], null),
           array[]::text[],
           false,
           array_remove(array[l.position], null)
    from visitor_centers v
    join institutions i on i.id = v.institution_id
    left join providers o on o.id = v.operator_id
    left join locations l on l.id = v.location_id
    union all
    select 'PROGRAM', p.id, null, p.name,
           (select t.text from translations t
            where t.program_id = p.id and t.field = 'name' and t.language = 'ES' and t.original = p.name),
           array[p.slug],
           array[]::text[],
           array[p.operator_name],
           array[p.summary],
           array(select t.text from translations t
                 where t.program_id = p.id and t.field = 'summary' and t.language = 'ES' and t.original = p.summary),
           array(select word from program_offerings o join institutions i on i.id = o.institution_id,
                 unnest(array[i.code, i.name] || i.alternate_names) word
                 where o.program_id = p.id and o.status <> 'ENDED' order by i.code, word),
           array[]::text[],
           null,
           true,
           array(select c.category_code from program_categories c where c.program_id = p.id order by 1),
           array(select distinct i.county_fips from program_offerings o join institutions i on i.id = o.institution_id
                 where o.program_id = p.id and o.status <> 'ENDED' and i.county_fips is not null order by 1),
           array[]::text[],
           p.scope = 'STATEWIDE',
           array(select l.position from program_offerings o join institutions i on i.id = o.institution_id
                 join locations l on l.id = i.location_id
                 where o.program_id = p.id and o.status <> 'ENDED' and l.position is not null order by i.code)
    from programs p
    union all
    select 'REENTRY_PROGRAM', r.id, null, r.name,
           (select t.text from translations t
            where t.reentry_program_id = r.id and t.field = 'name' and t.language = 'ES' and t.original = r.name),
           array[r.slug],
           array[]::text[],
           array[]::text[],
           array[r.eligibility, r.referral_route, r.service_areas],
           array(select t.text from translations t
                 where t.reentry_program_id = r.id and t.field = 'eligibility' and t.language = 'ES' and t.original = r.eligibility),
           array[]::text[],
           array[]::text[],
           null,
           true,
           array(select c.category_code from reentry_program_categories c where c.reentry_program_id = r.id order by 1),
           array(select c.county_fips from reentry_program_counties c where c.reentry_program_id = r.id order by 1),
           array[]::text[],
           true,
           array[]::cube[]
    from reentry_programs r
    union all
    select 'PROVIDER', p.id, null, p.name, null,
           array[p.site_name],
           array[]::text[],
           array[]::text[],
           array(select distinct offer from services s, unnest(s.offers) offer where s.provider_id = p.id and s.listed order by 1),
           array[]::text[],
           array[l.public_street, l.public_city, left(l.public_zip, 5)],
           array(select h.number from phones h where h.provider_id = p.id),
           case when not p.listed then 'INACTIVE' end,
           p.listed,
           array(select distinct c.category_code from services s join service_categories c on c.service_id = s.id
                 where s.provider_id = p.id and s.listed order by 1),
           array_remove(array[p.county_fips], null),
           p.languages,
           exists (select from statewide_services w where w.provider_id = p.id),
           array_remove(array[l.position], null)
    from providers p left join locations l on l.id = p.location_id
    union all
    select 'SERVICE', s.id, null, s.name, null,
           array[]::text[],
           array[]::text[],
           array[p.name, p.site_name],
           s.offers,
           array[]::text[],
           array(select word from services_at_locations a join locations l on l.id = a.location_id,
                 unnest(array[l.public_street, l.public_city, left(l.public_zip, 5)]) word
                 where a.service_id = s.id order by l.id, word),
           array(select h.number from phones h where h.service_id = s.id),
           case s.status when 'DEFUNCT' then 'CLOSED' else s.status end,
           s.listed,
           array(select c.category_code from service_categories c where c.service_id = s.id order by 1),
           array_remove(array[s.county_fips], null),
           s.languages,
           exists (select from service_areas a where a.service_id = s.id and a.county_fips is null),
           array(select l.position from services_at_locations a join locations l on l.id = a.location_id
                 where a.service_id = s.id and l.position is not null order by l.id)
    from services s join providers p on p.id = s.provider_id
    union all
    select 'CATEGORY', null, c.code, c.label_en,
           coalesce(c.label_es, (
               select t.text from translations t
               where t.category_code = c.code and t.field = 'label' and t.language = 'ES' and t.original = c.label_en)),
           array(select word from synonyms y, unnest(y.english) word where y.category_code = c.code and not y.narrower order by y.code, word),
           array(select word from synonyms y, unnest(y.spanish) word where y.category_code = c.code and not y.narrower order by y.code, word),
           array[]::text[],
           array(select word from synonyms y, unnest(y.english) word where y.category_code = c.code and y.narrower order by y.code, word),
           array(select word from synonyms y, unnest(y.spanish) word where y.category_code = c.code and y.narrower order by y.code, word),
           array[]::text[],
           array[]::text[],
           null,
           true,
           array[c.code],
           array[]::text[],
           array[]::text[],
           true,
           array[]::cube[]
    from categories c
),
documents as (
    select kind, id, code, coalesce(id::text, code) as key, title, spanish_title,
           cardinality(string_to_array(plain(title), ' ')) as title_words,
           array_remove(names, null) as names, array_remove(spanish_title || spanish_names, null) as spanish_names,
           array_remove(belongs, null) as belongs, array_remove(place, null) as place, phones, status, listed,
           array_remove(body, null) as body, array_remove(spanish_body, null) as spanish_body,
           categories, counties, languages, everywhere, positions
    from parts
)
select kind, id, code, key, title, spanish_title, title_words, body || spanish_body as body, status,
       categories, counties, languages, everywhere, positions,
       document_words(
           title || names, spanish_names,
           -- What lists do not show is found by its name, and by nothing else.
           case when listed then belongs end, case when listed then body end, case when listed then spanish_body end,
           case when listed then place end,
           array['%' || kind]
           || array(select '=' || left(plain(n), 200) from unnest(title || names || spanish_names) n)
           || case when listed then array(select '@' || c from unnest(categories) c)
                                    || array(select '+' || right(h, 10) from unnest(phones) h) end
           || array(select '$' || c from unnest(counties) c)
           || array(select '^' || l from unnest(languages) l)
           || place_marks(positions) || case when everywhere then array['~'] end
           || case when status in ('CLOSED', 'TEMPORARILY_CLOSED') or not listed then array['!closed'] end
           || case when kind in ('PROVIDER', 'SERVICE') then share_marks(key, title_words) else array['#'] end
       ) as words
from documents;
comment on view searchable is 'The documents as they should be, made of the records that are there.';

create function lexemes_of(words tsvector) returns text[]
    language sql immutable parallel safe
    return array(select lexeme from unnest(tsvector_to_array(words)) lexeme where strpos('%@<*$^~+=!#', left(lexeme, 1)) = 0);
comment on function lexemes_of is 'The words of a document without its marks.';

-- Kept as the records are -----------------------------------------------------------------------

create table search_changes (
    source text not null,
    key    text,
    last   boolean not null default false
);
comment on table search_changes is
    'Rows that the present transaction has changed; empty whenever it ends. HSDS 3: none.';
comment on column search_changes.last is 'One row of each statement, which asks for the documents to be made.';

create view search_affected as
with noted as (select distinct source, key from search_changes where key is not null)
    select source, key, 'INSTITUTION' as kind, key as document from noted where source = 'institutions'
    union all
    select source, key, 'VISITOR_CENTER', v.id::text from noted join visitor_centers v on v.institution_id = key::uuid
    where source = 'institutions'
    union all
    select source, key, 'PROGRAM', o.program_id::text from noted join program_offerings o on o.institution_id = key::uuid
    where source = 'institutions'
    union all
    select source, key, 'VISITOR_CENTER', key from noted where source = 'visitor_centers'
    union all
    select source, key, 'VISITOR_CENTER', c.visitor_center_id::text
    from noted join visitor_center_amenities c on c.amenity_code = key where source = 'visitor_amenities'
    union all
    select source, key, 'PROGRAM', key from noted where source = 'programs'
    union all
    select source, key, 'REENTRY_PROGRAM', key from noted where source = 'reentry_programs'
    union all
    select source, key, 'PROVIDER', key from noted where source = 'providers'
    union all
    select source, key, 'SERVICE', s.id::text from noted join services s on s.provider_id = key::uuid where source = 'providers'
    union all
    select source, key, 'VISITOR_CENTER', v.id::text from noted join visitor_centers v on v.operator_id = key::uuid
    where source = 'providers'
    union all
    select source, key, 'SERVICE', key from noted where source = 'services'
    union all
    select source, key, 'PROVIDER', s.provider_id::text from noted join services s on s.id = key::uuid where source = 'services'
    union all
    select source, key, 'INSTITUTION', i.id::text from noted join institutions i on i.location_id = key::uuid
    where source = 'locations'
    union all
    select source, key, 'PROGRAM', o.program_id::text from noted join institutions i on i.location_id = key::uuid
    join program_offerings o on o.institution_id = i.id where source = 'locations'
    union all
    select source, key, 'VISITOR_CENTER', v.id::text from noted join visitor_centers v on v.location_id = key::uuid
    where source = 'locations'
    union all
    select source, key, 'PROVIDER', p.id::text from noted join providers p on p.location_id = key::uuid where source = 'locations'
    union all
    select source, key, 'SERVICE', a.service_id::text from noted join services_at_locations a on a.location_id = key::uuid
    where source = 'locations'
    union all
    select source, key, 'CATEGORY', key from noted where source = 'categories';
comment on view search_affected is 'The documents that a changed row has a part in.';

create function search_keep(of_kind text, keys text[]) returns void language plpgsql
    set search_path from current as $$
declare
    lost text[];
begin
    -- What there is, what there should be, and the words that are new or gone.
    execute format($sql$
        with due as materialized (
            select key, title, spanish_title, title_words, body, status, categories, counties, languages, everywhere, positions, words
            from searchable where kind = %1$L and %2$s
        ), had as materialized (
            select key, words from search_documents where kind = %1$L and key = any ($1)
        ), gone as (
            delete from search_documents d where kind = %1$L and key = any ($1)
            and not exists (select from due where due.key = d.key)
        ), kept as (
            insert into search_documents as d
                (kind, key, title, spanish_title, title_words, body, status, categories, counties, languages, everywhere, positions, words)
            select %1$L, due.* from due
            on conflict (kind, key) do update
            set (title, spanish_title, title_words, body, status, categories, counties, languages, everywhere, positions, words)
                = (excluded.title, excluded.spanish_title, excluded.title_words, excluded.body, excluded.status, excluded.categories,
                   excluded.counties, excluded.languages, excluded.everywhere, excluded.positions, excluded.words)
            where (d.title, d.spanish_title, d.title_words, d.body, d.status, d.categories, d.counties, d.languages, d.everywhere,
                   d.positions::text, d.words)
                is distinct from (excluded.title, excluded.spanish_title, excluded.title_words, excluded.body, excluded.status, excluded.categories,
                                  excluded.counties, excluded.languages, excluded.everywhere, excluded.positions::text, excluded.words)
        ), now as materialized (
            select distinct lexeme from due, unnest(lexemes_of(words)) lexeme
        ), found as (
            insert into search_lexemes select lexeme from now on conflict do nothing
        )
        select array_agg(distinct lexeme) from had, unnest(lexemes_of(words)) lexeme
        where not exists (select from now where now.lexeme = lexeme.lexeme)
    $sql$, of_kind, case of_kind when 'CATEGORY' then 'code = any ($1)' else 'id = any ($1::uuid[])' end)
    into lost using keys;
    -- A frequent word is found at once in a small share; only a rare one is looked for everywhere.
    delete from search_lexemes l where lexeme = any (lost)
    and not exists (select from search_documents where words @@ (quoted(array[l.lexeme]) && '#8'))
    and not exists (select from search_documents where words @@ (quoted(array[l.lexeme]) && '#4'))
    and not exists (select from search_documents where words @@ quoted(array[l.lexeme]));
end
$$;
comment on function search_keep is 'Makes documents of one kind anew, by their keys.';

create function search_refresh() returns trigger language plpgsql
    security definer set search_path from current as $$
declare
    affected record;
    came tsquery[];
    gone tsquery[];
begin
    -- One after the other, and each after all that was committed before: see above.
    perform pg_advisory_xact_lock(hashtext('search_documents'));
    if not exists (select from search_changes) then
        return null;  -- an earlier statement's turn has done it all
    end if;
    if exists (select from search_changes where source in ('phrases', 'categories', 'everything')) then
        with removed as (
            delete from search_phrases p where not exists (
                select from searchable_phrases s
                where (s.phrase, s.lang, s.concept, s.marks, s.narrower) = (p.phrase, p.lang, p.concept, p.marks, p.narrower))
            returning concept, query
        )
        select array_agg(query || quoted(array['<' || concept])) into gone from removed;
        with added as (
            insert into search_phrases select phrase, lang, concept, marks, narrower, lexemes, query from searchable_phrases
            on conflict do nothing returning concept, query
        )
        select array_agg(query || quoted(array['<' || concept])) into came from added;
    end if;
    -- A million at a time would not fit into memory.
    for affected in
        select kind, array_agg(document) as keys from (
            select kind, document, row_number() over (partition by kind) / 50000 as part from (
                select kind, document from search_affected
                union
                select d.kind, d.key from unnest(came || gone) phrase join search_documents d on words @@ phrase
                union
                select d.kind, d.key from (select kind, key from searchable union select kind, key from search_documents) d
                where exists (select from search_changes where source = 'everything')
            ) each_once
        ) parts group by kind, part
    loop
        perform search_keep(affected.kind, affected.keys);
    end loop;
    -- What is new lies unsorted beside an index until somebody sorts it in; better now than every reader.
    perform gin_clean_pending_list(index) from unnest(array[
        to_regclass('search_documents_words_idx'), to_regclass('search_lexemes_lexeme_idx')]) index where index is not null;
    delete from search_changes;
    return null;
end
$$;
comment on function search_refresh is 'Makes the documents of all rows that this transaction has changed.';

create constraint trigger refresh after insert on search_changes
    deferrable initially deferred for each row when (new.last) execute function search_refresh();

-- Each argument names a source and one of its keys in the changed row.
create function search_note() returns trigger language plpgsql
    security definer set search_path from current as $$
declare
    changed text := case tg_op
        when 'INSERT' then 'table after_rows' when 'DELETE' then 'table before_rows'
        else 'table before_rows union all table after_rows' end;
    parts text;
begin
    if tg_op = 'TRUNCATE' then
        insert into search_changes values ('everything', null, true);
        return null;
    end if;
    select string_agg(format('select distinct %L, %s from rows where %s is not null',
                             split_part(said, '.', 1), column_, column_), ' union all ')
    into parts from unnest(tg_argv) said, concat('(', split_part(said, '.', 2), ')::text') column_;
    execute format('with rows as (%s), noted as (insert into search_changes (source, key) %s returning source)'
                   ' insert into search_changes (source, last) select min(source), true from noted having count(*) > 0',
                   changed, parts);
    return null;
end
$$;
comment on function search_note is 'Notes which rows a statement has changed.';

do $$
declare
    watched record;
    event text;
begin
    for watched in select * from (values
        ('institutions', '{institutions.id}'::text[]),
        ('visitor_centers', '{visitor_centers.id}'),
        ('visitor_center_amenities', '{visitor_centers.visitor_center_id}'),
        ('visitor_amenities', '{visitor_amenities.code}'),
        ('programs', '{programs.id}'),
        ('program_categories', '{programs.program_id}'),
        ('program_offerings', '{programs.program_id}'),
        ('reentry_programs', '{reentry_programs.id}'),
        ('reentry_program_categories', '{reentry_programs.reentry_program_id}'),
        ('reentry_program_counties', '{reentry_programs.reentry_program_id}'),
        ('providers', '{providers.id}'),
        ('services', '{services.id,providers.provider_id}'),
        ('service_categories', '{services.service_id}'),
        ('services_at_locations', '{services.service_id}'),
        ('service_areas', '{services.service_id}'),
        ('locations', '{locations.id}'),
        ('phones', '{institutions.institution_id,visitor_centers.visitor_center_id,providers.provider_id,services.service_id}'),
        ('categories', '{categories.code}'),
        ('translations', '{programs.program_id,reentry_programs.reentry_program_id,visitor_centers.visitor_center_id,categories.category_code}'),
        ('synonyms', '{categories.category_code,phrases.code}'),
        ('counties', '{phrases.fips}')
    ) tables (name, sources) loop
        foreach event in array '{insert,update,delete}'::text[] loop
            execute format('create trigger search_%1$s after %1$s on %2$I referencing %3$s for each statement execute function search_note(%4$s)',
                event, watched.name,
                concat_ws(' ', case when event <> 'insert' then 'old table before_rows' end,
                               case when event <> 'delete' then 'new table after_rows' end),
                (select string_agg(quote_literal(source), ', ') from unnest(watched.sources) source));
        end loop;
        execute format('create trigger search_truncate after truncate on %I for each statement execute function search_note()', watched.name);
    end loop;
end
$$;

insert into search_changes values ('everything', null, true);
