-- A search: one text, typed by somebody, and all records that may be meant by it.
--
-- What can be found is in one table, a document per record, with a `tsvector` that says everything a
-- search can ask of it: the words of its names, what it offers and where it is, and marks for its
-- kind, categories, counties, languages and place. So one GIN index answers any search, filters
-- among it. How documents are made, and kept as the records are, is in 0027_searchable.sql.
--
-- A word means itself and what has its stem; if no document has it, what is spelled nearly alike, or
-- begins with it. Words that together are a label, a synonym or a county's name mean its mark, too,
-- and other phrases for the same thing. A record is found if it has something of every word; only
-- where fewer than ten have, those that lack one follow, and then those that have half of them.
--
-- So many records may have a frequent word that nobody could look at them all. Then only a share of
-- them is ranked, chosen beforehand and always the same one: those with short names are more likely
-- in it. Around a place it is the nearest that are ranked.

create extension if not exists fuzzystrmatch;  -- how many letters are different

-- Words -----------------------------------------------------------------------------------------

create function plain(text) returns text
    language sql immutable strict parallel safe
    return trim(regexp_replace(
        regexp_replace(lower(normalize($1, NFKD)), '[\u0300-\u036f''’ʼ`´]', '', 'g'),
        '[^[:alnum:]]+', ' ', 'g'));
comment on function plain is
    'The words of a text in small letters without accents, with a space between: "Niños & D.C.''s" is "ninos d cs".';

create function spanish(plain text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(plain, '([cs]ion)\M', '\1es', 'g');
comment on function spanish is
    'Plain Spanish for the stemmer, which knows -ción and -ciones, but not -cion.';

create function stems(text, lang regconfig) returns tsvector
    language plpgsql immutable strict parallel safe as $$
declare
    words text := plain($1);
begin
    return to_tsvector('simple', words) || to_tsvector(lang, case lang when 'spanish'::regconfig then spanish(words) else words end);
end
$$;
comment on function stems is 'Each word of a text as it is, and its stem.';

create function quoted(lexemes text[], weights text default '') returns tsquery
    language sql immutable parallel safe
    return (select string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''' || weights, ' | ')
            from unnest(lexemes) lexeme)::tsquery;
comment on function quoted is 'Finds one of these lexemes, whatever letters they are made of: `quoted(lexemes, '':A'')` in a name only.';

-- Synonyms --------------------------------------------------------------------------------------

create table synonyms (
    code             text primary key check (code ~ '^[A-Z][A-Z0-9_]*$'),
    category_code    text references categories,
    record_type      text check (record_type in (
                         'INSTITUTION', 'VISITOR_CENTER', 'PROGRAM', 'REENTRY_PROGRAM', 'PROVIDER', 'SERVICE', 'CATEGORY')),
    narrower         boolean not null default false,
    english          text[] not null default '{}',
    spanish          text[] not null default '{}',
    source_date      date,
    source_date_precision text check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
    source_id        uuid not null references sources,
    source_record_id text,
    retrieved_at     date,
    created_at       timestamptz not null default now(),
    updated_at       timestamptz not null default now(),
    check ((source_date is null) = (source_date_precision is null)),
    check (cardinality(english) + cardinality(spanish) > 0),
    check (num_nonnulls(category_code, record_type) <= 1)
);
create index on synonyms (category_code, code);
create index on synonyms (source_id);
comment on table synonyms is
    'What people call one thing, in both languages. HSDS 3: taxonomy_term, with its other names.';
comment on column synonyms.category_code is 'The category that somebody means who says so.';
comment on column synonyms.narrower is 'True for a part of that, as dental care is of health care: then the rest of it is only what else there is.';
comment on column synonyms.record_type is 'The kind of record that somebody means who says so.';

-- What people call a category, a kind of record or a county --------------------------------------

create table search_phrases (
    phrase   text not null,
    lang     regconfig not null,
    concept  text not null,
    marks    text[] not null,
    narrower boolean not null,
    lexemes  text[] not null,
    query    tsquery not null,
    primary key (phrase, lang, concept)
);
create index on search_phrases (concept);
create index on search_phrases ((lexemes[1]));
comment on table search_phrases is
    'Words that mean a mark, in the language of their stems; phrases of one concept mean the same. HSDS 3: none.';

-- Documents -------------------------------------------------------------------------------------

create table search_documents (
    kind          text not null check (kind in (
                    'INSTITUTION', 'VISITOR_CENTER', 'PROGRAM', 'REENTRY_PROGRAM', 'PROVIDER', 'SERVICE', 'CATEGORY')),
    key         text not null,
    title       text not null,
    spanish_title text,
    title_words integer not null,
    body        text[] not null,
    status      text check (status in ('ACTIVE', 'INACTIVE', 'TEMPORARILY_CLOSED', 'CLOSED')),
    categories  text[] not null,
    counties    text[] not null,
    languages   text[] not null,
    everywhere  boolean not null,
    positions   cube[] not null,
    words       tsvector not null,
    primary key (kind, key)
);
comment on table search_documents is
    'What can be found, and by which words: made of other tables, and never written by anybody. HSDS 3: none.';
comment on column search_documents.body is 'What a snippet is taken from.';
comment on column search_documents.status is 'Null where it is unknown, or the kind of record has none.';
comment on column search_documents.positions is 'Where it is, of addresses that are public; a program is where it runs.';
comment on column search_documents.everywhere is 'True for what one can reach from anywhere.';
comment on column search_documents.words is
    'Weight A: its names and codes. B: the names of what it belongs to. C: what it offers. D: where it is. Marks have no weight: '
    '%KIND @CATEGORY <CONCEPT *CONCEPT (in a name) $COUNTY ^LANGUAGE ~DEGREES/ROW/COLUMN +TELEPHONE =NAME !closed, #10 #8 #6 #4 #2 for a share of the providers and services, and # for all else.';
create index on search_documents using gin (words);

-- Which words there are, for those that are misspelt or half written -----------------------------

create table search_lexemes (
    lexeme text primary key
);
create index on search_lexemes using gin (lexeme gin_trgm_ops);
comment on table search_lexemes is
    'The words of all documents, each once, so that a word without documents is known for one. HSDS 3: none.';

-- A text becomes what it may mean ---------------------------------------------------------------

create function search_stems(word text, lang text) returns text[]
    language sql immutable parallel safe
    -- So little of a long word says nothing of it: the stem of "comida" is "com".
    return array(
        select word
        union
        select stem from (
            select unnest(ts_lexize('english_stem', word)) where lang is distinct from 'ES'
            union all select unnest(ts_lexize('spanish_stem', spanish(word))) where lang is distinct from 'EN') stems (stem)
        where length(stem) > 3 or length(word) < 6);
comment on function search_stems is 'What a plain word is looked up as; in both languages where none is given.';

create function search_spelling(word text, out lexemes text[], out certain double precision)
    language sql stable parallel safe
begin atomic
    with alike as (
        select lexeme, levenshtein_less_equal(lexeme, word, 3) as off, similarity(lexeme, word) as alike
        from search_lexemes where lexeme % word and length(word) > 3
        union all
        select lexeme, 1.5, similarity(lexeme, word)
        from search_lexemes where lexeme like word || '%' and length(word) > 2
    ),
    best as (
        select lexeme, off, rank() over (order by off) as place, alike, max(alike) over (partition by off) as best
        from alike where off <= case when length(word) < 6 then 1.5 when length(word) < 10 then 2 else 3 end
    )
    select array_agg(lexeme order by alike desc, lexeme), 1 - 0.1 * min(off)
    from (select * from best where place = 1 and alike >= 0.8 * best order by alike desc, lexeme limit 8) nearest;
end;
comment on function search_spelling is 'What a word that no document has may have been meant to be; null if nothing is near.';

create function search_terms(text text, lang text) returns table (
    n integer, lexemes text[], concepts text[], meaning tsquery, widely tsquery, named tsquery, worth text)
    language sql stable
begin atomic
    with telephone as (
        select right(digits, 10) as digits from regexp_replace(text, '[^0-9]', '', 'g') digits
        where text ~ '^[-+(). 0-9]+$' and length(digits) between 10 and 11
    ),
    typed as (
        select word, number, search_stems(word, lang) as stems,
               ts_lexize('english_stem', word) = '{}' or ts_lexize('spanish_stem', word) = '{}' as stop
        from unnest(string_to_array(plain(text), ' ')) with ordinality each (word, number)
        where not exists (select from telephone)
        limit 16
    ),
    spelled as (
        select number, word, stems, stop,
               word ~ '[0-9]' or exists (select from search_lexemes l where l.lexeme = any (stems)) as known,
               meant.lexemes, meant.certain
        from typed left join lateral search_spelling(word) meant
             on not stop and not word ~ '[0-9]' and not exists (select from search_lexemes l where l.lexeme = any (stems))
    ),
    meant as (
        select number, coalesce(lexemes[1], word) as word, coalesce(lexemes, array[word]) as words,
               coalesce(lexemes, stems) as lexemes, coalesce(certain, 1) as certain, known or lexemes is not null as known,
               stop and not (select bool_and(stop) from spelled) as stop
        from spelled
    ),
    spoken as (
        select to_tsvector('english', string_agg(word, ' ' order by number)) as english,
               to_tsvector('spanish', spanish(string_agg(word, ' ' order by number))) as spanish
        from meant
    ),
    phrases as (
        select m.number, p.concept, p.marks, p.narrower, p.lexemes,
               rank() over (partition by m.number order by cardinality(p.lexemes) desc) as place
        from spoken
        join search_phrases p on case p.lang when 'english'::regconfig then english else spanish end @@ p.query
        join meant m on (case p.lang when 'english'::regconfig then ts_lexize('english_stem', m.word)
                         else ts_lexize('spanish_stem', spanish(m.word)) end)[1] = any (p.lexemes)
    ),
    concepts as (
        select number, max(cardinality(lexemes)) > 1 as together, array_agg(distinct concept) as concepts,
               array_agg(distinct mark) filter (where not narrower and mark is not null) as marks,
               array_agg(distinct mark) filter (where narrower and mark is not null) as wider
        from phrases left join unnest(marks) mark on true
        where place = 1 group by number
    ),
    terms as (
        select number::integer as n, m.words, case when known then m.lexemes end as lexemes, m.certain,
               coalesce(c.concepts, '{}') as concepts, coalesce(c.marks, '{}') as marks, coalesce(c.wider, '{}') as wider,
               -- Words that mean something together mean less apart.
               case when c.together then 0.75 else 1 end as apart
        from meant m left join concepts c using (number) where not stop
        union all
        select 1, array[digits], null, 1, '{}', array['+' || digits], '{}', 1 from telephone
    )
    select n, coalesce(lexemes, '{}'), concepts, coalesce(quoted(lexemes || marks || said), ''), quoted(wider), quoted(lexemes, ':A'),
           -- In a name, then as another phrase for it, then in the names of what it belongs to, in
           -- what it offers or where it is, and last by its kind.
           (select 'case ' || string_agg(format('when words @@ %L then %s', sign, round(worth::numeric, 4)), ' ' order by worth desc)
                   || ' else 0 end'
            from (values (quoted(words, ':A'), certain * apart), (quoted(lexemes, ':A'), 0.95 * certain * apart),
                         (quoted(titled), 0.85),
                         (quoted(lexemes, ':B'), 0.75 * certain * apart), (quoted(lexemes, ':C'), 0.7 * certain * apart),
                         (quoted(lexemes, ':D'), 0.6 * certain), (quoted(said), 0.68), (quoted(marks), 0.6), (quoted(wider), 0.4)) signs (sign, worth)
            where sign is not null)
    from terms,
         lateral (select array(select '<' || concept from unnest(concepts) concept) as said,
                         array(select '*' || concept from unnest(concepts) concept) as titled) meant_by;
end;
comment on function search_terms is
    'The words of a text that say something: lexemes of documents (none where it is unknown), concepts, what finds it, what finds it only widely, what finds it in a name, and how good a find is, as an expression.';

create function search_squares(origin cube, reach double precision) returns text[]
    language sql immutable parallel safe
begin atomic
    -- A tenth of a degree is about seven miles.
    with at as (
        select degrees(asin(greatest(-1, least(1, origin -> 3)))) as latitude, degrees(atan2(origin -> 2, origin -> 1)) as longitude,
               degrees(2 * asin(reach / 2)) as radius, case when reach < 0.004 then 0.1 else 1 end as size
    )
    select array_agg('~' || size || '/' || row_ || '/' || column_)
    from at,
         generate_series(floor((latitude - radius) / size)::integer, floor((latitude + radius) / size)::integer) row_,
         generate_series(floor((longitude - radius / greatest(cos(radians(latitude)), 0.1)) / size)::integer,
                         floor((longitude + radius / greatest(cos(radians(latitude)), 0.1)) / size)::integer) column_;
end;
comment on function search_squares is 'The marks of all squares that something so near to a point can be in.';

create function search_all(queries tsquery[]) returns tsquery
    language plpgsql immutable parallel safe as $$
declare
    query tsquery;
    together tsquery := '';
begin
    foreach query in array queries loop
        together := together && coalesce(query, '');
    end loop;
    return together;
end
$$;
comment on function search_all is 'What all of these find; an empty one finds everything.';

create function search_any(queries tsquery[]) returns tsquery
    language plpgsql immutable parallel safe as $$
declare
    query tsquery;
    together tsquery := '';
begin
    foreach query in array queries loop
        together := together || coalesce(query, '');
    end loop;
    return together;
end
$$;
comment on function search_any is 'What one of these finds; an empty one finds nothing.';

create function search_found(
    query tsquery, origin cube, reach double precision, enough integer, most integer, out rows tid[], out complete boolean)
    language plpgsql stable set enable_seqscan = off as $$
declare
    share text;
    near double precision;
    here tsquery;
    few integer;
begin
    complete := true;
    -- Everything; or, if that is too much, what is within 15 miles, or within 5.
    foreach near in array case when origin is null then array[null::double precision]
                               else array(select r from unnest(array[reach, chord(15), chord(5)]) r where r <= reach order by r desc) end loop
        here := case when origin is null then query else query && quoted(search_squares(origin, near) || array['~']) end;
        select count(*) into few from (select from search_documents where words @@ (here && quoted('{#10}')) limit 20) counted;
        if few * 1024 < most then
            rows := array(
                select ctid from search_documents
                where words @@ here and (origin is null or everywhere or exists (select from unnest(positions) p where p <-> origin <= near))
                limit most);
            if cardinality(rows) < most then
                return;
            end if;
        end if;
        complete := false;
    end loop;
    foreach share in array array['#10', '#8', '#6', '#4', '#2'] loop
        rows := array(
            select ctid from search_documents
            where words @@ (here && quoted(array[share, '#']))
            and (origin is null or everywhere or exists (select from unnest(positions) p where p <-> origin <= near))
            limit most);
        exit when cardinality(rows) >= enough;
    end loop;
end
$$;
comment on function search_found is
    'Where the documents are that match, at most so many; or, if they are more, enough of them; and whether these are all.';

create function search_within(wider text[]) returns setof text
    language sql stable parallel safe
begin atomic
    with recursive within (code) as (
        select unnest(wider)
        union select c.code from categories c join within w on w.code = c.parent_code
    )
    select code from within;
end;
comment on function search_within is 'These categories and all narrower ones.';

create function search(
    text text, lang text, zip text, latitude double precision, longitude double precision, within_miles double precision,
    of_types text[], in_counties text[], of_categories text[], in_languages text[], closed boolean)
returns table (
    kind text, key text, score double precision, distance_miles double precision, status text, title text,
    categories text[], counties text[], languages text[], sought text[], concepts text[], spoken text, complete boolean)
language plpgsql stable set search_path from current as $$
#variable_conflict use_column
declare
    origin constant cube := near_position($3, $4, $5);
    reach constant double precision := chord(coalesce($6, 50));
    wanted constant tsquery := search_all(array[
        quoted(array(select '%' || type from unnest($7) type)), quoted(array(select '$' || county from unnest($8) county)),
        quoted(array(select '@' || code from search_within($9) code)), quoted(array(select '^' || language from unnest($10) language)),
        case $11 when true then quoted('{!closed}') when false then !!quoted('{!closed}') end]);
    terms record;
    query tsquery;
    before tsquery := '';
    part double precision := 1;
    weights double precision[];
    more record;
    many integer := 0;
begin
    select array_agg(t.meaning order by n) filter (where numnode(t.meaning) > 0) as known,
           array_agg(t.meaning || coalesce(t.widely, '') order by n) as widely,
           array_agg(t.worth order by n) as worth,
           string_agg(format('coalesce((words @@ %L)::integer, 0)', t.named), ' + ' order by n) as naming,
           -- Neither has a space in it.
           array_remove(string_to_array(string_agg(array_to_string(t.lexemes, ' '), ' '), ' '), '') as lexemes,
           array_remove(string_to_array(string_agg(array_to_string(t.concepts, ' '), ' '), ' '), '') as concepts
    into terms from search_terms($1, $2) t;
    weights := array_fill(1, array[cardinality(terms.worth)]);
    -- Something of each word; of each but one; of any.
    foreach query in array array[
        search_all(terms.known),
        search_any(array(
            select search_all(terms.known[:i - 1] || terms.known[i + 1:]) from generate_subscripts(terms.known, 1) i
            where cardinality(terms.known) > 2)),
        search_any(terms.widely)] loop
        continue when numnode(query) = 0;
        select * into more from search_found(query && wanted && before, origin, reach, 500, 5000);
        if part = 1 and cardinality(more.rows) < 10 then
            -- Then a rare word says more than a frequent one.
            weights := array(
                select 1 / (1 + ln(1 + (select count(*) from (
                    select from search_documents where words @@ (meaning && quoted('{#6,#}')) limit 200) counted)))
                from unnest(terms.widely) with ordinality each (meaning, n) order by n);
        end if;
        return query execute format($sql$
            with looked_at as (
                select *, (%s) / %s as fit, (%s)::float8 / greatest(title_words, %s) as naming,
                       case when $2 is not null then (select min(p <-> $2) from unnest(positions) p) end as far,
                       -- A name calls for who is called so, a need for who does something about it.
                       case kind when 'INSTITUTION' then 1 when 'PROVIDER' then 0.97 when 'SERVICE' then 0.94 else 0.98 end as by_name,
                       case kind when 'INSTITUTION' then 1 when 'PROVIDER' then 0.90 when 'SERVICE' then 0.98
                                 when 'CATEGORY' then 0.95 else 0.97 end as by_need
                from search_documents where ctid = any ($1)
            )
            select kind, key,
                   round(least(1,
                       $8 * (0.75 * fit + 0.25 * case when words @@ $4 then 1 else naming end)
                       * (by_need + (by_name - by_need) * least(1, naming))
                       * case when status in ('CLOSED', 'TEMPORARILY_CLOSED') then 0.9 else 1 end
                       * case when $2 is null then 1 else 1 - 0.25 * coalesce(least(1, far / $3), 0.6) end
                       * case when $6 = 'ES' and 'es' = any (languages) then 1.03 else 1 end
                   )::numeric, 4)::float8,
                   case when far <= $3 then round(miles(far)::numeric, 2)::float8 end, status,
                   case when $6 = 'ES' then coalesce(spanish_title, title) else title end,
                   categories, counties, languages, $5, $9, $6, $7
            from looked_at where fit >= 0.3
        $sql$,
            (select string_agg(format('(%s) * %s', worth, round(weight::numeric, 4)), ' + ') from unnest(terms.worth, weights) w (worth, weight)),
            (select round(sum(weight)::numeric, 4)::float8 from unnest(weights) weight),
            terms.naming, cardinality(terms.worth))
        using more.rows, origin, reach, quoted(array['=' || left(plain($1), 200)]), terms.lexemes, $2, more.complete, part, terms.concepts;
        many := many + cardinality(more.rows);
        exit when many >= 10;
        part := part - 0.25;
        before := before && !!query;
    end loop;
end
$$;
comment on function search is 'What a text finds, and how well it answers.';

-- What was found, shown -------------------------------------------------------------------------

create function escaped(text) returns text
    language sql immutable strict parallel safe
    return replace(replace(replace(replace(replace($1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
comment on function escaped is 'A text as HTML that says just this.';

create function search_marked(text text, sought text[], concepts text[] default '{}', begun text default null) returns text
    language sql stable parallel safe
begin atomic
    -- A phrase is marked where it is whole.
    with words as (
        select sought || coalesce(array_agg(lexeme), '{}') as sought
        from search_phrases p, unnest(p.lexemes) lexeme
        where p.concept = any (concepts) and stems(text, p.lang) @@ p.query
    )
    select coalesce(string_agg(
        case when array[plain(word)] || ts_lexize('english_stem', plain(word)) && words.sought or plain(word) like begun || '%'
             then '<mark>' || escaped(word) || '</mark>' || escaped(rest) else escaped(word || rest) end, '' order by n), '')
    from words, regexp_matches(text, '([[:alnum:]\u0300-\u036f''’]*)([^[:alnum:]\u0300-\u036f''’]*)', 'g') with ordinality parts (part, n),
         lateral (select part[1] as word, part[2] as rest) pair;
end;
comment on function search_marked is 'A text as HTML, in which words that were sought, or begin as was typed, are marked.';

create function search_snippet(kind text, key text, sought text[], concepts text[], spoken text) returns text
    language sql stable parallel safe
begin atomic
    select string_agg(marked, ' · ' order by n)
    from (
        select n, search_marked(piece, sought, concepts) as marked
        from search_documents d,
             unnest(d.body || array(select case when spoken = 'ES' then coalesce(label_es, label_en) else label_en end
                                    from categories c where d.kind <> 'CATEGORY' and c.code = any (d.categories) order by c.code))
             with ordinality pieces (whole, n),
             lateral (select case when length(whole) <= 160 then whole
                                  else regexp_replace(left(whole, 160), '[^[:space:]]*$', '…') end as piece) cut
        where d.kind = search_snippet.kind and d.key = search_snippet.key
        order by n
    ) pieces
    where marked like '%<mark>%';
end;
comment on function search_snippet is 'What a record offers, as far as it was sought, as HTML; null if it was found by other things.';

-- What somebody who is still typing may mean ----------------------------------------------------

create function suggest(said text, lang text, first integer)
returns table (text text, text_html text, type text, node_id text, score double precision)
language plpgsql stable set search_path from current as $$
#variable_conflict use_column
declare
    typed constant text := plain($1);
    last constant text := (regexp_match(typed, '[^ ]*$'))[1];
    -- Before the last word, whole words; they and what begins with the last one are in a name.
    whole constant text[] := array(
        select lexeme from search_terms(left(typed, -length(last)), $2) t, unnest(t.lexemes) lexeme);
    before constant tsquery := (
        select search_all(array_agg(t.named)) from search_terms(left(typed, -length(last)), $2) t having count(*) > 0);
    begun text[] := array(
        select lexeme from search_lexemes where lexeme like last || '%' order by length(lexeme), lexeme limit 50);
    named tsquery := quoted(array[last], ':*A');
    places tid[];
begin
    if begun = '{}' then
        begun := coalesce((search_spelling(last)).lexemes, '{}');
        named := named || coalesce(quoted(begun, ':A'), '');
    end if;
    named := coalesce(before, '') && named;
    -- Of institutions, centers, programs and categories there are so few that all are looked at.
    places := array(select ctid from search_documents where words @@ quoted('{#}'));
    if length(typed) > 2 then
        places := places
            || (search_found(quoted(array['=' || typed], ':*'), null, null, 100, 500)).rows
            || coalesce((search_found(coalesce(before, quoted(begun, ':A')), null, null, 100, 500)).rows, '{}');
    end if;
    return query
        with looked_at as (
            -- Not by an index: to find all that begins with a letter is too much.
            select kind, key, title, spanish_title, words from search_documents where ctid = any (places) offset 0
        ),
        called as (
            select kind, key, words, plain(name) as plainly, name
            from looked_at,
                 unnest(case $2 when 'ES' then array[coalesce(spanish_title, title)] when 'EN' then array[title]
                                else array_remove(array[title, spanish_title], null) end) name
            where words @@ named
        )
        select min(name), search_marked(min(name), whole || begun, '{}', last), kind,
               case when count(*) = 1 then replace(initcap(replace(kind, '_', ' ')), ' ', '') || ':' || min(key) end,
               round(max(case when words @@ quoted(array['=' || typed]) then 1
                              when plainly like typed || '%' then 0.9
                              when plainly ~ ('\m' || last) then 0.8
                              else 0.6 end
                         * case when kind in ('PROVIDER', 'SERVICE') then 0.95 else 1 end
                         - 0.001 * least(100, length(name)))::numeric, 4)::float8
        from called group by kind, plainly
        order by 5 desc, 1, 3 limit $3;
end
$$;
comment on function suggest is 'Names and categories that begin as somebody types, or nearly so.';
