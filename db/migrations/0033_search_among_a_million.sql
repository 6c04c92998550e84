-- A search among a million: what it costs is to find documents in the index, so fewer are looked for.
--
-- How many there are is told by a share of a four-thousandth, and of the shares the smallest is taken
-- that has enough. Of a word that is not misspelt nobody asks what else it may have been meant to be.

create or replace function share_marks(key text, title_words integer) returns text[]
    language sql immutable parallel safe
    -- Of two names with a word in common the shorter one is more about it, and more likely in a small share.
    return (array['#12', '#10', '#8', '#6', '#4', '#2'])[
        width_bucket(abs(hashtext(key)::bigint) * least(title_words, 16) / 4.0::float8,
                     array[2 ^ 19, 2 ^ 21, 2 ^ 23, 2 ^ 25, 2 ^ 27, 2 ^ 29]) + 1:];
comment on function share_marks is
    'In which shares of the documents this one is, from #2, a fourth of them, to #12, one of 4096; each holds the smaller ones.';
comment on column search_documents.words is
    'Weight A: its names and codes. B: the names of what it belongs to. C: what it offers. D: where it is. Marks have no weight: '
    '%KIND @CATEGORY <CONCEPT *CONCEPT (in a name) $COUNTY ^LANGUAGE ~DEGREES/ROW/COLUMN +TELEPHONE =NAME !closed, #12 #10 #8 #6 #4 #2 for a share of the providers and services, and # for all else.';

-- As all documents made from now on.
update search_documents set words = words || array_to_tsvector('{#12}')
where kind in ('PROVIDER', 'SERVICE') and words @@ quoted('{#10}') and '#12' = any (share_marks(key, title_words));

create function search_is_large() returns boolean
    language sql stable parallel safe
    return (select reltuples > 200000 from pg_class where oid = 'search_documents'::regclass);
comment on function search_is_large is
    'Whether there are so many documents that a search had better not look for all that match.';

create or replace function search_spelling(word text, out lexemes text[], out certain double precision)
    language sql stable parallel safe
begin atomic
    with known as materialized (
        select from search_lexemes where lexeme = word
    ),
    alike as (
        select lexeme, levenshtein_less_equal(lexeme, word, 3) as off, similarity(lexeme, word) as alike
        from search_lexemes where lexeme % word and length(word) > 3 and not exists (select from known)
        union all
        select lexeme, 1.5, similarity(lexeme, word)
        from search_lexemes where lexeme like word || '%' and length(word) > 2 and not exists (select from known)
    ),
    best as (
        select lexeme, off, rank() over (order by off) as place, alike, max(alike) over (partition by off) as best
        from alike where off <= case when length(word) < 6 then 1.5 when length(word) < 10 then 2 else 3 end
    )
    select array_agg(lexeme order by alike desc, lexeme), 1 - 0.1 * min(off)
    from (select * from best where place = 1 and alike >= 0.8 * best order by alike desc, lexeme limit 8) nearest;
end;
comment on function search_spelling is
    'What a word that no document has may have been meant to be; null if nothing is near, or if one has it.';

create or replace function search_found(
    query tsquery, origin cube, reach double precision, enough integer, most integer, out rows tid[], out complete boolean)
    language plpgsql stable set search_path = public, pg_temp set enable_seqscan = off as $$
declare
    here constant tsquery := case when origin is null then query else query && quoted(search_squares(origin, reach) || array['~']) end;
    large constant boolean := search_is_large();
    size integer := 12;
    sampled integer := 0;
begin
    if large then
        select count(*) into sampled from search_documents where words @@ (here && quoted('{#12}'));
    end if;
    if sampled = 0 then
        rows := array(
            select ctid from search_documents
            where words @@ here and (origin is null or everywhere or exists (select from unnest(positions) p where p <-> origin <= reach))
            limit most);
        complete := cardinality(rows) < most;
        if complete or large then
            return;  -- of so few no share has enough that costs less
        end if;
    end if;
    complete := false;
    -- The smallest share that has enough in it, and all that is of no share.
    loop
        while sampled < enough and size > 2 loop
            size := size - 2;
            sampled := greatest(sampled, 1) * 4;
        end loop;
        rows := array(
            select ctid from search_documents
            where words @@ (here && quoted(array['#' || size, '#']))
            and (origin is null or everywhere or exists (select from unnest(positions) p where p <-> origin <= reach))
            limit most);
        exit when cardinality(rows) >= enough / 2 or size = 2;
        sampled := greatest(cardinality(rows), enough / 4);
    end loop;
end
$$;

create or replace function search(
    text text, lang text, zip text, latitude double precision, longitude double precision, within_miles double precision,
    of_types text[], in_counties text[], of_categories text[], in_languages text[], closed boolean)
returns table (
    kind text, key text, score double precision, distance_miles double precision, status text, title text,
    categories text[], counties text[], languages text[], sought text[], concepts text[], spoken text, complete boolean)
language plpgsql stable set search_path = public, pg_temp as $$
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
    seen tid[] := '{}';
    part double precision := 1;
    weights double precision[];
    more record;
    large constant boolean := search_is_large();
    sample constant text := case when large then '#12' else '#6' end;
begin
    select array_agg(t.meaning order by n) filter (where numnode(t.meaning) > 0) as known,
           array_agg(t.meaning || coalesce(t.widely, '') order by n) as widely,
           array_agg(t.worth order by n) as worth,
           string_agg(format('coalesce((words @@ %L)::integer, 0)', t.named), ' + ' order by n) as naming,
           -- Neither has a space in it.
           array_remove(string_to_array(string_agg(array_to_string(t.lexemes, ' '), ' '), ' '), '') as lexemes,
           array_remove(string_to_array(string_agg(array_to_string(t.concepts, ' '), ' '), ' '), '') as concepts
    into terms from search_terms($1, $2) t;
    if terms.known is null then
        return;  -- there is no word in it that any document has
    end if;
    weights := array_fill(1, array[cardinality(terms.worth)]);
    -- Something of each word; of each but one; of any.
    foreach query in array array[
        search_all(terms.known),
        search_any(array(
            select search_all(terms.known[:i - 1] || terms.known[i + 1:]) from generate_subscripts(terms.known, 1) i
            where cardinality(terms.known) > 2)),
        search_any(terms.widely)] loop
        continue when numnode(query) = 0;
        -- What lacks a word is not worth much.
        select * into more from search_found(
            query && wanted, origin, reach, case when part = 1 then 500 else 100 end / case when large then 2 else 1 end,
            case when part < 1 then 500 when large then 1500 else 5000 end);
        if part = 1 and cardinality(more.rows) < 10 then
            -- Then a rare word says more than a frequent one.
            weights := array(
                select 1 / (1 + ln(1 + (select count(*) from (
                    select from search_documents where words @@ (meaning && quoted(array[sample, '#'])) limit 200) counted)))
                from unnest(terms.widely) with ordinality each (meaning, n) order by n);
        end if;
        -- What has all words has all but one, too.
        more.rows := array(select unnest(more.rows) except select unnest(seen));
        seen := seen || more.rows;
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
        exit when cardinality(seen) >= 10;
        part := part - 0.25;
    end loop;
end
$$;
