-- The same rules for many rows at once: what is kept of a directory that is just being loaded.

-- What is kept ----------------------------------------------------------------------------------

create or replace function keep(kept text, ids uuid[] default null) returns void language plpgsql
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
        -- An update of nothing would be announced, too.
        execute format('select array_agg(t.id) from %I t join %I k on k.id = t.id'
                       ' where t.id = any ($1) and k.id = any ($1) and (%s) is distinct from (%s)',
                       keeper, kept, old, new) into ids using ids;
        if ids is null then
            return;
        end if;
    end if;
    perform set_config('directory.keeping', 'later', true);  -- nothing that is kept depends on what is
    execute format('update %I t set (%s) = row (%s) from %I k where k.id = t.id and (%s) is distinct from (%s) %s',
                   keeper, names, new, kept, old, new,
                   case when ids is not null then 'and t.id = any ($1) and k.id = any ($1)' end) using ids;
    perform set_config('directory.keeping', before, true);
end
$$;

do $$
declare
    owner record;
begin
    for owner in values ('institution', 'institutions'), ('visitor_center', 'visitor_centers'),
                        ('program', 'programs'), ('provider', 'providers'), ('service', 'services')
    loop
        execute format($sql$
            create or replace view %1$I as
                select facts.id, score.missing, score.completeness
                -- There is one row of each anyway. But so the facts are not asked for again by each
                -- field, and still only of the rows that somebody asks for, or of all rows together.
                from (select distinct on (id) id, kind, known from %2$I) facts
                cross join lateral completeness(kind, known) score
            $sql$, owner.column2 || '_kept_completeness', owner.column1 || '_facts');
    end loop;
end
$$;

-- Documents -------------------------------------------------------------------------------------

create or replace function document_words(
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
    -- What the phrases among them mean. An index knows those that begin with one of the words; a mark
    -- that is there twice is one mark.
    select array_agg('<' || concept) || array_agg('*' || concept) filter (where named @@ query) into meant
    from search_phrases
    where lexemes[1] = any (tsvector_to_array(words)) and concept ~ '^[A-Z]' and words @@ query;
    if place <> '{}' then
        -- A place has no stems.
        words := words || setweight(to_tsvector('simple', plain(array_to_string(place, ' '))), 'D');
    end if;
    return words || array_to_tsvector(marks || meant);
end
$$;

create or replace function share_marks(key text, title_words integer) returns text[]
    language sql immutable parallel safe
    -- Of two names with a word in common the shorter one is more about it, and more likely in a small share.
    return (array['#10', '#8', '#6', '#4', '#2'])[
        width_bucket(abs(hashtext(key)::bigint) * least(title_words, 16) / 4.0::float8,
                     array[2 ^ 21, 2 ^ 23, 2 ^ 25, 2 ^ 27, 2 ^ 29]) + 1:];

-- A loop, because a query would cost more than what it asks.
create or replace function place_marks(positions cube[]) returns text[]
    language plpgsql immutable parallel safe as $$
declare
    place cube;
    latitude double precision;
    longitude double precision;
    marks text[] := '{}';
begin
    foreach place in array positions loop
        latitude := degrees(asin(greatest(-1, least(1, place -> 3))));
        longitude := degrees(atan2(place -> 2, place -> 1));
        marks := marks || array[
            '~1/' || floor(latitude)::integer || '/' || floor(longitude)::integer,
            '~0.1/' || floor(latitude / 0.1)::integer || '/' || floor(longitude / 0.1)::integer];
    end loop;
    return marks;
end
$$;

create function is_word(lexeme text) returns boolean
    language sql immutable parallel safe
    return strpos('%@<*$^~+=!#', left(lexeme, 1)) = 0;
comment on function is_word is 'Whether a lexeme of a document is a word, and not a mark.';

create or replace function lexemes_of(words tsvector) returns text[]
    language sql immutable parallel safe
    return array(select lexeme from unnest(tsvector_to_array(words)) lexeme where is_word(lexeme));

create or replace function search_keep(of_kind text, keys text[]) returns void language plpgsql
    set search_path = public, pg_temp as $$
declare
    lost text[];
begin
    -- What there is, what there should be, and the words that are new or gone.
    execute format($sql$
        with due as materialized (
            select key, title, spanish_title, title_words, body, status, categories, counties, languages, everywhere, positions, words
            from searchable where kind = %1$L and %2$s
        ), had as materialized (
            select words from search_documents where kind = %1$L and key = any ($1)
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
            select lexeme from (select distinct unnest(tsvector_to_array(words)) as lexeme from due) lexemes where is_word(lexeme)
        ), found as (
            insert into search_lexemes select lexeme from now on conflict do nothing
        )
        select array_agg(lexeme) from (
            select lexeme from (select distinct unnest(tsvector_to_array(words)) as lexeme from had) lexemes where is_word(lexeme)
            except table now) lost
    $sql$, of_kind, case of_kind when 'CATEGORY' then 'code = any ($1)' else 'id = any ($1::uuid[])' end)
    into lost using keys;
    -- A frequent word is found at once in a small share; only a rare one is looked for everywhere.
    delete from search_lexemes l where lexeme = any (lost)
    and not exists (select from search_documents where words @@ (quoted(array[l.lexeme]) && '#8'))
    and not exists (select from search_documents where words @@ (quoted(array[l.lexeme]) && '#4'))
    and not exists (select from search_documents where words @@ quoted(array[l.lexeme]));
end
$$;

create or replace function search_refresh() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    affected record;
    came tsquery[];
    gone tsquery[];
begin
    -- One after the other, and each after all that was committed before: see 0027_searchable.sql.
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
        select kind, array_agg(document) as keys,
               sum(count(*)) over (order by kind, part) as done, sum(count(*)) over () as of
        from (
            select kind, document, row_number() over (partition by kind order by document) / 50000 as part from (
                select kind, document from search_affected
                where not exists (select from search_changes where source = 'everything')
                union
                select d.kind, d.key from unnest(came || gone) phrase join search_documents d on words @@ phrase
                where not exists (select from search_changes where source = 'everything')
                union
                select d.kind, d.key from (select kind, key from searchable union select kind, key from search_documents) d
                where exists (select from search_changes where source = 'everything')
            ) each_once
        ) parts group by kind, part order by kind, part
    loop
        perform search_keep(affected.kind, affected.keys);
        raise debug 'documents made: % of %', affected.done, affected.of;
    end loop;
    -- What is new lies unsorted beside an index until somebody sorts it in; better now than every reader.
    perform gin_clean_pending_list(index) from unnest(array[
        to_regclass('search_documents_words_idx'), to_regclass('search_lexemes_lexeme_idx')]) index where index is not null;
    delete from search_changes;
    return null;
end
$$;

-- Each argument names a source and one of its keys in the changed row.
create or replace function search_note() returns trigger language plpgsql
    security definer set search_path = public, pg_temp as $$
declare
    changed text := case tg_op
        when 'INSERT' then 'table after_rows' when 'DELETE' then 'table before_rows'
        else 'table before_rows union all table after_rows' end;
    parts text;
begin
    if exists (select from search_changes where source = 'everything') then
        return null;  -- whatever this is, it will be looked at
    end if;
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

create function search_everything() returns void language sql
begin atomic
    insert into search_changes values ('everything', null, true);
end;
comment on function search_everything is
    'Has all documents made anew before the transaction commits, whatever it changes: better than to note a million rows one by one.';
