-- Records that may be about one and the same provider: found by rules, decided by people.
--
-- Two records are duplicates if they are about the same organization behind the same door: one could
-- stand for both, and nobody would be sent to a wrong place. Two programs of one organization behind
-- one door are one provider with two services. Another suite, a numbered van or a clinic of the same
-- chain down the street is another site, and no duplicate.
--
-- Everything is compared as the public may read it. An address that is hidden takes no part, as if
-- there were none, so that no score and no reason can tell it.

create table duplicate_candidates (
    id         uuid primary key,
    left_id    uuid not null references providers on delete cascade,
    right_id   uuid not null references providers on delete cascade,
    score      double precision not null check (score between 0 and 1),
    reasons    text[] not null check (reasons <@ array[
                   'SAME_NAME', 'SIMILAR_NAME', 'SAME_ADDRESS', 'NEARBY', 'SAME_PHONE', 'CHAIN_PHONE',
                   'SAME_WEBSITE', 'CHAIN_WEBSITE', 'SAME_SOURCE', 'DIFFERENT_ADDRESS', 'DIFFERENT_SUITE',
                   'DIFFERENT_NUMBER', 'DIFFERENT_SITE_NAME', 'ONE_IS_MOBILE']),
    decision   text not null default 'PENDING' check (decision in ('PENDING', 'MERGED', 'NOT_DUPLICATE')),
    decided_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (left_id, right_id),
    check (left_id < right_id),  -- each pair once, and nobody with itself
    check ((decision = 'PENDING') = (decided_at is null))
);
create index on duplicate_candidates (score desc, id desc);
create index on duplicate_candidates (decision, score desc, id desc);
create index on duplicate_candidates (left_id, score desc, id desc);
create index on duplicate_candidates (right_id, score desc, id desc);
create index on duplicate_candidates using gin (reasons);
comment on table duplicate_candidates is
    'Two providers that may be one, for people to decide. HSDS 3 has no such object.';
comment on column duplicate_candidates.id is 'Made of the two ids, so that it is the same on every machine.';
comment on column duplicate_candidates.score is
    'The sum of what each reason weighs in duplicate_weight(), from 0 to 1. It orders a queue; it is no probability.';
comment on column duplicate_candidates.decision is
    'What people decided stays, whatever is found later; a candidate that nobody decided goes when its reasons go.';

-- From either side, as a provider sees its candidates.
create view provider_duplicate_candidates as
    select left_id as provider_id, c.* from duplicate_candidates c
    union all
    select right_id, c.* from duplicate_candidates c;

-- Small letters, without accents and apostrophes.
create function plain_letters(text text) returns text
    language sql immutable parallel safe
    return translate(regexp_replace(normalize(lower(text), nfkd), '[\u0300-\u036f]', '', 'g'), '''’`', '');

-- The words of a name that tell it from others, spelt in one way: clerks shorten "Services" in ten
-- ways, and Inc or LLC does not say who it is. Dots go, so that C.O.R.E. is core.
create function name_words(name text) returns table (word text, n bigint)
    language sql immutable parallel safe
begin atomic
    select coalesce('{
        "services": "service", "servs": "service", "serv": "service", "svcs": "service", "svc": "service",
        "centers": "center", "centre": "center", "centr": "center", "ctr": "center", "ctrs": "center", "cntr": "center",
        "clinics": "clinic", "hosp": "hospital", "hospitals": "hospital", "prog": "program", "programs": "program",
        "hlth": "health", "hlthcare": "healthcare", "med": "medical", "medicine": "medical", "gen": "general",
        "behav": "behavioral", "behavorial": "behavioral", "psych": "psychiatric", "mh": "mental health",
        "trt": "treatment", "treatmt": "treatment", "rehab": "rehabilitation", "alc": "alcohol", "outpt": "outpatient",
        "cnty": "county", "dept": "department", "comm": "community", "fam": "family", "educ": "education",
        "assoc": "association", "univ": "university", "natl": "national", "sys": "system", "systems": "system",
        "childrens": "children", "child": "children", "womens": "women", "mens": "men", "adol": "adolescent",
        "calif": "california", "ca": "california", "st": "saint", "mt": "mount", "sf": "san francisco",
        "i": "1", "ii": "2", "iii": "3", "iv": "4", "one": "1", "two": "2", "three": "3"}'::jsonb ->> words.word,
        words.word), words.n
    from string_to_table(regexp_replace(replace(plain_letters(name), '.', ''), '[^a-z0-9]+', ' ', 'g'), ' ')
        with ordinality as words (word, n)
    where words.word not in ('', 'the', 'of', 'and', 'for', 'at', 'in', 'y', 'inc', 'incorporated', 'llc', 'llp',
                             'ltd', 'corp', 'corporation', 'company', 'co', 'dba');
end;

-- The words of an address in the abbreviations of USPS Publication 28, and whether they say where
-- inside: a suite, a floor, a building. Of several numbers of one building the first counts.
create function address_words(street text, unit text) returns table (word text, n bigint, inside boolean)
    language sql immutable parallel safe
begin atomic
    with lines as (
        select case when street !~ '[0-9]' and unit ~ '^[0-9]' then plain_letters(unit)
                    else plain_letters(concat_ws(' # ', street, unit)) end as line
    ),
    words as (
        select w.word, w.n,
            w.word ~ '^([,#(]|suites?|stes?|stuites?|suie|units?|apts?|apartments?|rooms?|rms?|bldgs?|buildings?|fl|floors?|basement|bsmt|ward|wing|dept|department|spc|space)$'
                or w.word ~ '^([0-9]+(st|nd|rd|th)|first|second|third|fourth|ground)$'
                and coalesce(lead(w.word) over (order by w.n) in ('floor', 'fl'), false) as opens
        from lines, string_to_table(
            regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            regexp_replace(regexp_replace(line,
                '^[^0-9]+(?=[0-9]+[a-z]? +[a-z])', ''),                       -- Kinney Hotel, 410 Eddy St
                '^([0-9]{2})-([0-9]{3})\M', '\1\2'),                          -- 81-557 Dr Carreon Blvd
                '^([0-9]+)( 1/2|½)', '\1-h'),                                 -- 728 1/2 Freeman Ave
                '^([0-9]+)( *(,|&|and|-|/) *[0-9]+)+ ', '\1 '),               -- 584, 588 and 590 Rio Lindo Ave
                '^([0-9]+)-?([a-z]) (.*)', '\1 \3 # \2'),                     -- 401-A W Morrison Ave
                '(?<=\m[a-z])-(?=[0-9])|(?<=[0-9])-(?=[a-z]\M)', '', 'g'),    -- Suite E-9
                '([,#(])', ' \1 ', 'g'),
            '[^a-z0-9,#(]+', ' ', 'g'), ' ') with ordinality as w (word, n)
        where w.word <> ''
    )
    select coalesce('{
        "street": "st", "avenue": "ave", "av": "ave", "boulevard": "blvd", "drive": "dr", "road": "rd", "lane": "ln",
        "court": "ct", "place": "pl", "circle": "cir", "parkway": "pkwy", "highway": "hwy", "terrace": "ter",
        "square": "sq", "trail": "trl", "plaza": "plz", "center": "ctr", "freeway": "fwy", "expressway": "expy",
        "alley": "aly", "route": "rte", "saint": "st", "mount": "mt", "fort": "ft", "bsmt": "basement",
        "north": "n", "south": "s", "east": "e", "west": "w",
        "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
        "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th",
        "seventh": "7th", "eighth": "8th", "ninth": "9th", "tenth": "10th"}'::jsonb ->> words.word, words.word),
        words.n, bool_or(words.n > 2 and words.opens) over (order by words.n)
    from words;
end;

-- Whose website it is: the host, whatever the page.
create function website_host(website text) returns text
    language sql immutable parallel safe
    return substring(lower(website) from '^https?://(?:www[0-9]?\.)?([^/:?#]+)');

-- What providers are compared by.
create view provider_keys as
    select p.id, p.source_id, p.county_fips,
        names.name, names.site, trim(concat_ws(' ', names.name, names.site)) as whole,
        place.street, substring(place.street from '^[0-9]+') as number,
        place.units, array(select substring(unit from '[0-9]{2,}') from unnest(place.units) unit) as rooms,
        plain_letters(l.public_city) as city, left(l.public_zip, 5) as zip,
        l.public_latitude as latitude, l.public_longitude as longitude,
        website_host(p.website) as host,
        array(select distinct h.number from phones h where h.provider_id = p.id) as phones
    from providers p
    left join locations l on l.id = p.location_id
    cross join lateral (
        -- A name without a telling word of these letters, in Chinese perhaps, is compared as it stands.
        select (select coalesce(string_agg(word, ' ' order by n), lower(p.name)) from name_words(p.name)) as name,
               (select coalesce(string_agg(word, ' ' order by n), lower(p.site_name), '')
                from name_words(p.site_name)) as site
        offset 0  -- once per provider, however often it is read above
    ) names
    cross join lateral (
        select string_agg(word, ' ' order by n) filter (where not inside and word ~ '[a-z0-9]') as street,
            coalesce(array_agg(distinct regexp_replace(word, '(?<=[0-9])(st|nd|rd|th)$', ''))
                filter (where inside and word ~ '^([0-9]+[a-z]{0,2}|[a-z][0-9]*|basement)$'), '{}') as units
        from address_words(l.public_street, l.public_unit)
    ) place;

-- What a reason adds to the score, or takes from it. A name that is only similar adds for as much as
-- it is similar. The weights are set by hand, and checked against pairs that were read one by one.
create function duplicate_weight(reason text) returns double precision
    language sql immutable parallel safe
    return case reason
        when 'SAME_NAME' then 0.5
        when 'SIMILAR_NAME' then 0.5
        when 'SAME_ADDRESS' then 0.45
        when 'NEARBY' then 0.2
        when 'SAME_PHONE' then 0.25
        when 'CHAIN_PHONE' then 0.05
        when 'SAME_WEBSITE' then 0.05
        when 'CHAIN_WEBSITE' then 0.02
        when 'SAME_SOURCE' then -0.25
        when 'DIFFERENT_ADDRESS' then -0.25
        when 'DIFFERENT_SUITE' then -0.4
        when 'DIFFERENT_NUMBER' then -0.3
        when 'ONE_IS_MOBILE' then -0.3
        when 'DIFFERENT_SITE_NAME' then -0.2
    end;

-- How alike two names are, from 0 to 1; each with the name of its site, if it has one. A source may
-- break one name over both, name only the organization, or call the site what another calls the
-- organization. Sites of one name can still be of two organizations, and in one source they are.
create function names_alike(name text, site text, other_name text, other_site text, same_source boolean)
    returns double precision
    language sql immutable parallel safe
    return greatest(
        similarity(name, other_name),
        case when site <> '' or other_site <> '' then
            similarity(concat_ws(' ', name, site), concat_ws(' ', other_name, other_site)) end,
        case when site <> '' then greatest(
            similarity(concat_ws(' ', name, site), other_name), 0.9 * similarity(site, other_name)) end,
        case when other_site <> '' then greatest(
            similarity(name, concat_ws(' ', other_name, other_site)), 0.9 * similarity(name, other_site)) end,
        case when site <> '' and other_site <> '' and not same_source then 0.7 * similarity(site, other_site) end,
        -- Good Samaritan, and Good Samaritan Shelter
        case when name like '% %' and other_name like '% %'
            and (starts_with(other_name, name || ' ') or starts_with(name, other_name || ' ')) then 0.85 end);

-- Finds the candidates anew among all providers, and says how many pairs were compared, and how many
-- candidates came, changed and went. A second run changes nothing.
--
-- Only those who share something are compared: an address, a phone, a website, a name in one town or
-- county, or the same hundred meters. Each is compared with the next twenty who share it, by name, so
-- that a thousand at one address cost twenty thousand comparisons and not half a million. A phone or
-- a website that more than six have is that of a chain and says little; nobody is compared for it.
create function find_duplicates(out compared bigint, out added bigint, out changed bigint, out removed bigint)
    language sql volatile
begin atomic
    with keyed as materialized (select * from provider_keys),
    shared as materialized (
        select kind, key, id, whole, count(*) over (partition by kind, key) as sharing
        from (
            select distinct 'place' as kind, key, id, whole
            from keyed, unnest(array[street || '/' || city, street || '/' || zip,
                                     street || '/' || coalesce(county_fips, '')]) key
            union all
            select 'phone', key, id, whole from keyed, unnest(phones) key
            union all
            select 'host', host, id, whole from keyed
            union all
            select distinct 'name', key, id, whole
            from keyed, unnest(array[name || '/' || city, name || '/' || county_fips, whole || '/' || county_fips]) key
            union all
            -- Squares of two hundred meters, laid four times: two within a hundred are in one of them.
            select 'square', concat_ws('/', north, east, floor(latitude / 0.002 + north / 2.0),
                                       floor(longitude / 0.0024 + east / 2.0)), id, whole
            from keyed, generate_series(0, 1) north, generate_series(0, 1) east
            where latitude is not null
        ) keys
        where key is not null
    ),
    chains as materialized (
        select kind, key from shared where kind in ('phone', 'host') and sharing > 6 group by 1, 2
    ),
    pairs as materialized (
        select distinct least(id, other) as left_id, greatest(id, other) as right_id
        from (
            select id, unnest(array_agg(id) over (
                partition by kind, key order by whole collate "C", id
                rows between 1 following and 20 following)) as other
            from shared
            where sharing > 1 and (sharing <= 6 or kind not in ('phone', 'host'))
        ) neighbors
        where id <> other
    ),
    judged as materialized (
        select left_id, right_id, alike, array_remove(array[
            case when same_name then 'SAME_NAME' when alike >= 0.4 then 'SIMILAR_NAME' end,
            case when same_place then 'SAME_ADDRESS' when close then 'NEARBY' end,
            case when l.phones && r.phones then
                case when exists (select from unnest(l.phones) phone where phone = any (r.phones)
                                  and ('phone', phone) not in (select kind, key from chains)) then 'SAME_PHONE'
                     else 'CHAIN_PHONE' end end,
            case when l.host = r.host then
                case when ('host', l.host) in (select kind, key from chains) then 'CHAIN_WEBSITE'
                     else 'SAME_WEBSITE' end end,
            -- Who lists two under two names, or at two addresses, knows of both.
            case when l.source_id = r.source_id and not (same_name and same_place) then 'SAME_SOURCE' end,
            case when l.street is not null and r.street is not null and not same_place and not close
                then 'DIFFERENT_ADDRESS' end,
            case when other_door then 'DIFFERENT_SUITE' end,
            case when codes <> '{}' and other_codes <> '{}' and not codes @> other_codes and not codes <@ other_codes
                then 'DIFFERENT_NUMBER' end,
            -- Behind two doors they would have two names anyway.
            case when l.site <> '' and r.site <> '' and not other_door and greatest(
                    similarity(l.site, r.site), similarity(l.site, r.name), similarity(l.name, r.site)) < 0.4
                then 'DIFFERENT_SITE_NAME' end,
            case when l.whole ~ moving <> (r.whole ~ moving) then 'ONE_IS_MOBILE' end], null) as reasons
        from pairs
        join keyed l on l.id = left_id
        join keyed r on r.id = right_id
        cross join lateral (
            select coalesce(abs(l.latitude - r.latitude) <= 0.0009
                            and abs(l.longitude - r.longitude) <= 0.0011, false) as close,
                l.name = r.name or l.whole in (r.whole, r.name) or r.whole = l.name as same_name,
                '\m(mobile|vans?(?! n)|bus|wheels|trailer)[0-9]*\M' as moving  -- but not Van Nuys
            offset 0
        ) first
        cross join lateral (
            select coalesce(
                    -- The same number a few steps away: Rosecrans Avenue, or Boulevard.
                    close and l.number = r.number
                    or l.street = r.street and (close or l.city = r.city or l.zip = r.zip
                        or coalesce(l.city = r.city, true) and coalesce(l.county_fips = r.county_fips, true)),
                    false) as same_place
            offset 0
        ) second
        cross join lateral (
            select same_place and l.units <> '{}' and r.units <> '{}'
                    and not (l.units && r.units or l.units && r.rooms or l.rooms && r.units) as other_door,
                case when same_name then 1
                     else names_alike(l.name, l.site, r.name, r.site, l.source_id = r.source_id) end as alike,
                array(select word from string_to_table(l.whole, ' ') word
                      where word ~ '^([0-9]+[a-z]?|[a-z])$') as codes,
                array(select word from string_to_table(r.whole, ' ') word
                      where word ~ '^([0-9]+[a-z]?|[a-z])$') as other_codes
            offset 0
        ) third
        where same_place or close or l.phones && r.phones or l.street is null or r.street is null
    ),
    found as materialized (
        select left_id, right_id, reasons, md5(left_id::text || right_id::text)::uuid as id,
            round(least(1, greatest(0, (
                select sum(duplicate_weight(reason) * case reason when 'SIMILAR_NAME' then alike else 1 end)
                from unnest(reasons) reason)))::numeric, 2)::double precision as score
        from judged
    ),
    kept as (
        insert into duplicate_candidates as c (id, left_id, right_id, score, reasons)
        select id, left_id, right_id, score, reasons from found where score >= 0.5
        on conflict (left_id, right_id) do update
            set score = excluded.score, reasons = excluded.reasons, updated_at = now()
            where (c.score, c.reasons) is distinct from (excluded.score, excluded.reasons)
        returning c.xmax = 0 as new  -- what was inserted has never been locked by anybody
    ),
    gone as (
        delete from duplicate_candidates c
        where c.decision = 'PENDING' and not exists (select from found f where f.id = c.id and f.score >= 0.5)
        returning 1
    )
    select (select count(*) from pairs), (select count(*) from kept where new),
        (select count(*) from kept where not new), (select count(*) from gone);
end;
comment on function find_duplicates is 'A migration that changes a rule above calls it at its end, as this one does.';

select find_duplicates();
