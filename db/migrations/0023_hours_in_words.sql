-- Rules of opening hours in words, English or Spanish, for people to read.

create function enumerated(items text[], lang text) returns text
    language sql immutable parallel safe
    return case when cardinality(items) < 2 then items[1] else
        array_to_string(items[:cardinality(items) - 1], ', ')
        || case lang when 'ES' then ' y ' else ' and ' end || items[cardinality(items)] end;
comment on function enumerated is 'a, b and c.';

create function weekday_in_words(number integer, lang text) returns text
    language sql immutable parallel safe
    return case lang
        when 'ES' then (array['lunes', 'martes', 'miércoles', 'jueves', 'viernes', 'sábado', 'domingo'])[number + 1]
        else (array['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'])[number + 1]
    end;

create function weekdays_in_words(bits integer, lang text) returns text
    language sql immutable parallel safe
    return case when bits = 127 then case lang when 'ES' then 'todos los días' else 'every day' end else (
        with days as (
            -- A run of days that goes past Sunday goes on: from Saturday to Monday.
            select n, n - row_number() over (order by n) as run
            from generate_series(0, 13) n
            where (bits >> n % 7) & 1 = 1
                and n >= case when bits & 1 = 1 and bits & 64 = 64 then
                    (select min(gap) + 1 from generate_series(0, 6) gap where (bits >> gap) & 1 = 0) else 0 end
                and n < 7 + case when bits & 1 = 1 and bits & 64 = 64 then
                    (select min(gap) from generate_series(0, 6) gap where (bits >> gap) & 1 = 0) else 0 end
        ), runs as (
            select min(n) as first, max(n) as last from days group by run
        ), words as (
            select first, 0 as nth, case lang
                when 'ES' then 'de ' || weekday_in_words(first % 7, lang) || ' a ' || weekday_in_words(last % 7, lang)
                else weekday_in_words(first % 7, lang) || ' to ' || weekday_in_words(last % 7, lang) end as word
            from runs where last - first > 1
            union all
            select first, nth, weekday_in_words((first + nth) % 7, lang)
            from runs, generate_series(0, last - first) nth where last - first <= 1
        )
        select enumerated(array_agg(word order by first % 7, nth), lang) from words) end;
comment on function weekdays_in_words is 'Friday to Sunday; Monday, Wednesday and Friday.';

create function nth_in_words(number integer, lang text) returns text
    language sql immutable parallel safe
    return case lang
        when 'ES' then case when number > 0 then (array['primer', 'segundo', 'tercer', 'cuarto', 'quinto'])[number]
            else (array['último', 'penúltimo', 'antepenúltimo', 'cuarto desde el último', 'quinto desde el último'])[-number] end
        else case when number > 0 then (array['first', 'second', 'third', 'fourth', 'fifth'])[number]
            else (array['last', 'second to last', 'third to last', 'fourth to last', 'fifth to last'])[-number] end
    end;

create function numbers_in_words(numbers integer[], what text, lang text) returns text
    language sql immutable parallel safe
    return (select enumerated(array_agg(case
                when number > 0 then what || ' ' || number
                when lang = 'ES' then what || ' ' || -number || ' desde el final'
                else what || ' ' || -number || ' from the end' end order by place), lang)
            from unnest(numbers) with ordinality n(number, place));
comment on function numbers_in_words is 'day 1 and day 2 from the end.';

create function days_in_words(rule schedules, lang text) returns text
    language sql immutable parallel safe
    return case
        when (rule).freq is null and (rule).kind = 'HOLIDAY'
            and num_nonnulls((rule).institution_id, (rule).visitor_center_id) = 1 then
            case lang when 'ES' then 'días festivos de visita' else 'visiting holidays' end
        when (rule).freq is null then case lang when 'ES' then 'días no conocidos' else 'days unknown' end
        else concat_ws(', ',
            case when (rule)."interval" > 1 then
                case lang when 'ES' then 'cada ' else 'every ' end || (rule)."interval" || ' '
                || case (rule).freq when 'WEEKLY' then case lang when 'ES' then 'semanas' else 'weeks' end
                                    else case lang when 'ES' then 'meses' else 'months' end end end,
            case
                when (rule).weekdays > 0 then weekdays_in_words((rule).weekdays, lang)
                when (rule).freq = 'WEEKLY' and num_nonnulls((rule).byday, (rule).byyearday) = 0 then
                    weekday_in_words(weekday_of((rule).dtstart), lang) end,
            case when (rule).month_weekdays is not null then
                (select enumerated(array_agg(
                            nth_in_words(code / 10, lang) || ' ' || weekday_in_words(abs(code % 10), lang) order by place), lang)
                 from unnest((rule).month_weekdays) with ordinality c(code, place))
                || case lang when 'ES' then ' del mes' else ' of the month' end end,
            case when (rule).freq = 'MONTHLY' and ((rule).bymonthday is not null
                or num_nonnulls((rule).byday, (rule).bymonthday, (rule).byyearday) = 0) then
                numbers_in_words(coalesce((rule).month_days, array[date_part('day', (rule).dtstart)::integer]),
                                 case lang when 'ES' then 'día' else 'day' end, lang)
                || case lang when 'ES' then ' del mes' else ' of the month' end end,
            numbers_in_words((rule).weeks, case lang when 'ES' then 'semana' else 'week' end, lang)
                || case lang when 'ES' then ' del año' else ' of the year' end,
            numbers_in_words((rule).year_days, case lang when 'ES' then 'día' else 'day' end, lang)
                || case lang when 'ES' then ' del año' else ' of the year' end)
    end;

create function times_in_words(opens_at time, closes_at time, lang text) returns text
    language sql stable parallel safe
    return case
        when opens_at is null then case lang when 'ES' then 'horario no conocido' else 'hours unknown' end
        when opens_at = time '00:00' and closes_at in (time '00:00', time '23:59') then
            case lang when 'ES' then 'las 24 horas' else '24 hours' end
        when closes_at is null then
            case lang when 'ES' then 'desde las ' else 'from ' end || to_char(opens_at, 'HH24:MI')
        else case lang when 'ES' then 'de ' else '' end || to_char(opens_at, 'HH24:MI')
            || case lang when 'ES' then ' a ' else ' to ' end
            || case closes_at when time '23:59' then '24:00' else to_char(closes_at, 'HH24:MI') end
    end;

create function period_in_words(starts_on date, ends_on date, lang text) returns text
    language sql stable parallel safe
    return ' (' || nullif(concat_ws(' ',
        case lang when 'ES' then 'desde el ' else 'from ' end || to_char(starts_on, 'YYYY-MM-DD'),
        case lang when 'ES' then 'hasta el ' else 'until ' end || to_char(ends_on, 'YYYY-MM-DD')), '') || ')';

create function hours_in_words(owner uuid, lang text default 'EN', asked_type text default null, asked_yard text default null)
    returns text
    language plpgsql stable parallel safe as $$
declare
    general uuid;
    today date;
begin
    lang := coalesce(lang, 'EN');
    select o.general into general from hours_override(owner, asked_type, asked_yard, clock()) o;
    today := (clock() at time zone coalesce(hours_zone(owner, general), 'America/Los_Angeles'))::date;
    return (
        with rules as (
            select s, s.kind, s.opens_at, s.closes_at, s.weekdays, s.id,
                   case when s.owner_id = owner then s.yard end as yard,
                   case when greatest(s.valid_from, s.dtstart) > today then greatest(s.valid_from, s.dtstart) end as starts_on,
                   least(s.valid_to, s.ends_on) as ends_on,
                   rank() over (order by case when s.owner_id = owner then 0 else 1 end,
                                case when asked_yard is null or s.yard = asked_yard then 0 else 1 end) as place
            from schedules s
            where s.owner_id = any (array[owner, general])
                and (s.visit_type is null or s.visit_type = coalesce(asked_type, 'IN_PERSON'))
                and (asked_yard is null or s.yard is null or s.yard = asked_yard)
                and (s.valid_to is null or s.valid_to >= today) and (s.ends_on is null or s.ends_on >= today)
        ), lines as (
            select yard, kind, days_in_words(s, lang) as days, starts_on, ends_on,
                   enumerated(array_agg(times_in_words(opens_at, closes_at, lang) order by opens_at, closes_at, id), lang) as times,
                   min(coalesce(weekdays & -weekdays, 0)) as weekday, min(opens_at) as opens_at
            from rules where place = 1
            group by yard, kind, days, starts_on, ends_on
        )
        select string_agg(coalesce(yard || ': ', '') || days || ', ' || times
                              || coalesce(period_in_words(starts_on, ends_on, lang), ''),
                          '; ' order by yard nulls first, array_position(array['REGULAR', 'SEASONAL', 'HOLIDAY'], kind),
                          starts_on nulls first, weekday, opens_at, days)
        from lines
    );
end $$;
comment on function hours_in_words is
    'The rules that hold today or will, in English or Spanish: Friday to Sunday, 07:30 to 15:30. Null if there are none.';
