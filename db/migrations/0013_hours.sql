-- When something is open. One resolver answers: said_hours() tells what rules and exceptions say of a
-- day, hours_of() whose word counts, and everything else is derived from them.
--
-- A day is that of the clocks of the place, and belongs to the hours that begin on it. An answer has
-- three values: open, closed, and unknown, which is never closed. Nobody says anything about a day
-- for which no schedule is valid, so it is unknown; a schedule that is valid and does not recur on it
-- says closed.

-- Visiting hours are of a type of visit, and may be of one yard. -----------------------------------

alter table schedules
    add visit_type text check (visit_type in ('IN_PERSON', 'VIDEO', 'FAMILY_OVERNIGHT', 'NON_CONTACT')),
    add yard text check (yard <> ''),
    add check (institution_id is not null or (visit_type is null and yard is null)),
    drop constraint schedules_check1,
    add check (closes_at is null or opens_at is not null),
    add check (opens_at < time '24:00' and closes_at < time '24:00'),
    -- Postgres refuses a zone it does not know; the pattern above lets no offset pass for one.
    add check (timestamptz 'epoch' at time zone timezone is not null),

    -- RFC 5545, as far as HSDS uses it.
    drop constraint schedules_bymonthday_check,
    drop constraint schedules_byweekno_check,
    drop constraint schedules_byyearday_check,
    add check (bymonthday ~ '^-?([1-9]|[12][0-9]|3[01])(,-?([1-9]|[12][0-9]|3[01]))*$'),
    add check (byweekno ~ '^-?([1-9]|[1-4][0-9]|5[0-3])(,-?([1-9]|[1-4][0-9]|5[0-3]))*$'),
    add check (byyearday ~ '^-?([1-9]|[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6])(,-?([1-9]|[1-9][0-9]|[12][0-9][0-9]|3[0-5][0-9]|36[0-6]))*$'),
    add check (freq = 'MONTHLY' or byday !~ '[0-9]'),
    add check (freq = 'MONTHLY' or bymonthday is null),
    add check (freq = 'WEEKLY' or byweekno is null),
    add check (dtstart between date '1900-01-01' and date '2199-12-31'),
    add check (freq is null or num_nonnulls(byday, bymonthday, byyearday, dtstart) > 0),
    add check (("interval" = 1 and count is null) or dtstart is not null),
    add check (freq is not null or ("interval" = 1 and count is null)),
    -- A season has a beginning and an end.
    add check (kind <> 'SEASONAL'
        or (coalesce(valid_from, dtstart) is not null and coalesce(valid_to, until) is not null));

comment on column schedules.kind is
    'SEASONAL hours replace regular ones while they last, HOLIDAY hours on the days they recur on. '
    'HOLIDAY without freq, at a prison, means the visiting holidays.';
comment on column schedules.visit_type is 'What visiting hours are for; null means every type.';
comment on column schedules.yard is 'The yard whose visiting hours these are; null means all that have none of their own.';
comment on column schedules.freq is 'Null where hours are known but their days are not.';
comment on column schedules.opens_at is 'Null where the days are known but their hours are not.';
comment on column schedules.closes_at is
    'Not later than opens_at means on the next day; 23:59 means midnight, as HSDS writes 24 hours (00:00 to 23:59). '
    'Null where nobody says when it closes.';
comment on column schedules.valid_from is
    'How long the information is good: outside of it nothing is known. dtstart and until are when the hours begin '
    'and end: outside of them it is closed.';

alter table schedule_exceptions
    add visit_type text check (visit_type in ('IN_PERSON', 'VIDEO', 'FAMILY_OVERNIGHT', 'NON_CONTACT')),
    add yard text check (yard <> ''),
    add check (institution_id is not null or (visit_type is null and yard is null)),
    add check (opens_at < time '24:00' and closes_at < time '24:00'),
    add owner_id uuid not null generated always as
        (coalesce(institution_id, visitor_center_id, service_id, service_at_location_id)) stored,
    drop constraint schedule_exceptions_coalesce_daterange_excl,
    add exclude using gist (
        owner_id with =, (coalesce(visit_type, '')) with =, (coalesce(yard, '')) with =,
        daterange(starts_on, ends_on, '[]') with &&);
create index on schedule_exceptions (owner_id, starts_on);
comment on column schedule_exceptions.visit_type is 'The type of visit it speaks of; null means every type.';
comment on column schedule_exceptions.yard is 'The yard it speaks of; null means all.';

alter table visitor_centers
    add opens_with_visiting boolean not null default false;
comment on column visitor_centers.opens_with_visiting is
    'Whether its source says that it is open when its prison has visiting. Then it is closed when there is none.';

-- Days of a recurrence. ----------------------------------------------------------------------------

create function weekday_of(day date) returns integer
    language sql immutable parallel safe
    return (day - date '0001-01-01') % 7;
comment on function weekday_of is '0 is Monday. The first day of our calendar was one.';

create function weekday_number(word text) returns integer
    language sql immutable parallel safe
    return array_position(array['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'], word) - 1;

create function weekday_bits(byday text) returns integer
    language sql immutable parallel safe
    return case when byday is not null then (
        select coalesce(bit_or(1 << weekday_number(word)), 0)
        from unnest(string_to_array(byday, ',')) word where length(word) = 2) end;
comment on function weekday_bits is 'The weekdays without a number in `byday`: 1 is Monday, 2 Tuesday, 4 Wednesday ...';

create function month_weekdays(byday text) returns integer[]
    language sql immutable parallel safe
    return (select array_agg((found[1] || '1')::integer * (10 * found[2]::integer + weekday_number(found[3])))
            from regexp_matches(byday, '([+-]?)([1-5])([A-Z]{2})', 'g') found);
comment on function month_weekdays is
    'The weekdays with a number in `byday`: 2WE is 22, the last Sunday of a month, -1SU, is -16. Null if there are none.';

create function month_weekdays(day date) returns integer[]
    language sql immutable parallel safe
    return array[
        10 * ((date_part('day', day)::integer - 1) / 7 + 1) + weekday_of(day),
        -10 * (((date_trunc('month', day::timestamp) + interval '1 month')::date - 1 - day) / 7 + 1) - weekday_of(day)];
comment on function month_weekdays(date) is 'Which one of the weekdays of its month a day is, from either end.';

create function month_days(day date) returns integer[]
    language sql immutable parallel safe
    return array[
        date_part('day', day)::integer,
        day - (date_trunc('month', day::timestamp) + interval '1 month')::date];
comment on function month_days is 'Which day of its month it is, from either end.';

create function year_days(day date) returns integer[]
    language sql immutable parallel safe
    return array[
        date_part('doy', day)::integer,
        day - make_date(date_part('year', day)::integer + 1, 1, 1)];
comment on function year_days is 'Which day of its year it is, from either end.';

create function week_middle(day date, week_start integer) returns date
    language sql immutable parallel safe
    return day - (weekday_of(day) - week_start + 7) % 7 + 3;
comment on function week_middle is 'The fourth day of its week. The year it is in is the year of the week.';

create function year_weeks(middle date) returns integer[]
    language sql immutable parallel safe
    return array[
        (date_part('doy', middle)::integer - 1) / 7 + 1,
        -((make_date(date_part('year', middle)::integer, 12, 31) - middle) / 7 + 1)];
comment on function year_weeks is 'Which week of its year it is, from either end, by the middle of the week.';

create function recurs(
    freq text, "interval" integer, weekdays integer, month_weekdays integer[], month_days integer[],
    weeks integer[], year_days integer[], week_start integer, dtstart date, day date
) returns boolean
    language plpgsql immutable parallel safe as $$
begin
    -- Said with their schema, because a restore works out stored columns without a search path.
    if day < dtstart then
        return false;
    end if;
    -- What the rule does not say, its first day does.
    if num_nonnulls(weekdays, month_days, year_days) = 0 then
        if freq = 'WEEKLY' then
            weekdays := 1 << public.weekday_of(dtstart);
        else
            month_days := array[date_part('day', dtstart)::integer];
        end if;
    end if;
    if (weekdays >> public.weekday_of(day)) & 1 = 0
        and (month_weekdays is null or not month_weekdays && public.month_weekdays(day)) then
        return false;
    end if;
    if not month_days && public.month_days(day)
        or not year_days && public.year_days(day)
        or not weeks && public.year_weeks(public.week_middle(day, week_start)) then
        return false;
    end if;
    if "interval" = 1 then
        return true;
    elsif freq = 'WEEKLY' then
        return (public.week_middle(day, week_start) - public.week_middle(dtstart, week_start)) / 7 % "interval" = 0;
    else
        return (12 * (date_part('year', day) - date_part('year', dtstart))::integer
                + (date_part('month', day) - date_part('month', dtstart))::integer) % "interval" = 0;
    end if;
end $$;
comment on function recurs is
    'Whether a rule of RFC 5545, without its end, recurs on a day. A first day that the rule does not name is not one of them.';

create function last_recurrence(
    freq text, "interval" integer, byday text, bymonthday text, byweekno text, byyearday text,
    wkst text, dtstart date, count integer
) returns date
    language sql immutable parallel safe
    return case when count is not null then coalesce(
        (select dtstart + n from generate_series(0, 36525) n
         where recurs(freq, "interval", weekday_bits(byday), month_weekdays(byday),
                      string_to_array(bymonthday, ',')::integer[], string_to_array(byweekno, ',')::integer[],
                      string_to_array(byyearday, ',')::integer[], weekday_number(coalesce(wkst, 'MO')),
                      dtstart, dtstart + n)
         order by n limit 1 offset count - 1),
        dtstart + 36525) end;
comment on function last_recurrence is
    'The day on which a rule that counts has recurred so often; a hundred years after its first day at the latest.';

-- What is read of a rule a million times is worked out when it is written.
alter table schedules
    add owner_id uuid not null generated always as
        (coalesce(institution_id, visitor_center_id, service_id, service_at_location_id)) stored,
    add weekdays integer generated always as (weekday_bits(byday)) stored,
    add month_weekdays integer[] generated always as (month_weekdays(byday)) stored,
    add month_days integer[] generated always as (string_to_array(bymonthday, ',')::integer[]) stored,
    add weeks integer[] generated always as (string_to_array(byweekno, ',')::integer[]) stored,
    add year_days integer[] generated always as (string_to_array(byyearday, ',')::integer[]) stored,
    add week_start integer not null generated always as (weekday_number(coalesce(wkst, 'MO'))) stored,
    add weekly boolean not null generated always as (
        freq is not null and freq = 'WEEKLY' and "interval" = 1 and byday is not null
        and num_nonnulls(byweekno, byyearday) = 0) stored,
    add ends_on date generated always as (least(until, last_recurrence(
        freq, "interval", byday, bymonthday, byweekno, byyearday, wkst, dtstart, count))) stored,
    -- A place is in one zone; so are its exceptions.
    add exclude using gist (owner_id with =, timezone with <>);
create index on schedules (owner_id);
create index on schedules (timezone);
comment on column schedules.weekly is 'Whether weekdays is all that there is to the rule, as with nearly all.';
comment on column schedules.ends_on is 'The last day of the recurrence: until, or the day on which count is reached.';

create function is_holiday(holiday visiting_holidays, day date) returns boolean
    language sql immutable parallel safe
    return (holiday).month = date_part('month', day)
        and ((holiday).day = date_part('day', day)
            or 10 * (holiday).week + weekday_number((holiday).weekday) = any (month_weekdays(day)));
comment on function is_holiday is 'Whether a day is this holiday: a day of a month, or its nth weekday.';

create function recurs(rule schedules, day date, holiday boolean) returns boolean
    language sql immutable parallel safe
    return case
        when (rule).weekly then
            ((rule).weekdays >> weekday_of(day)) & 1 = 1
            and ((rule).dtstart is null or (rule).dtstart <= day) and ((rule).ends_on is null or (rule).ends_on >= day)
        when (rule).freq is null then
            case when (rule).kind = 'HOLIDAY' and num_nonnulls((rule).institution_id, (rule).visitor_center_id) = 1
                 then holiday end
        when day > (rule).ends_on then false
        else recurs((rule).freq, (rule)."interval", (rule).weekdays, (rule).month_weekdays, (rule).month_days,
                    (rule).weeks, (rule).year_days, (rule).week_start, (rule).dtstart, day)
    end;
comment on function recurs(schedules, date, boolean) is
    'Whether a schedule recurs on a day, which is a visiting holiday or not; null if its days are unknown.';

-- Clocks. ------------------------------------------------------------------------------------------

create function instant_of(local timestamp, zone text) returns timestamptz
    language plpgsql immutable parallel safe as $$
declare
    found timestamptz := local at time zone zone;
    before timestamptz;
begin
    if local is null then
        return null;
    end if;
    if found at time zone zone <> local then
        -- The clock jumps over it, and shows it, in a way, when it has jumped.
        select min(minute) into found
        from generate_series(date_trunc('minute', found - (found at time zone zone - local)),
                             found, interval '1 minute') minute
        where minute at time zone zone >= local;
        return found;
    end if;
    before := found - interval '1 day';
    if before at time zone zone = local - interval '1 day' then
        return found;
    end if;
    -- Where the clock is put back it shows it twice, and Postgres takes the second time.
    before := (local - (before at time zone zone - before at time zone 'UTC')) at time zone 'UTC';
    if before < found and before at time zone zone = local then
        return before;
    end if;
    return found;
end $$;
comment on function instant_of is 'When the clocks of a zone first show this time or a later one.';

create function wall_clock(at timestamptz, zone text) returns timestamp
    language plpgsql immutable parallel safe as $$
declare
    local timestamp := at at time zone zone;
    before timestamptz := at - interval '1 day';
begin
    if before at time zone zone = local - interval '1 day' then
        return local;
    end if;
    before := (local - (before at time zone zone - before at time zone 'UTC')) at time zone 'UTC';
    if before < at and before at time zone zone = local then
        -- It has been put back, and shows for the second time what it showed before.
        return (select max((minute - interval '1 microsecond') at time zone zone)
                from generate_series(date_trunc('minute', before) + interval '1 minute', at, interval '1 minute') minute);
    end if;
    return local;
end $$;
comment on function wall_clock is
    'The latest time that the clocks of a zone have shown so far: what instant_of() came to pass. Somebody who '
    'puts a clock back from two to one does not open again what has closed at half past one.';

create function closing(day date, opens_at time, closes_at time) returns timestamp
    language sql immutable parallel safe
    return case
        when closes_at = time '23:59' then (day + 1)::timestamp
        when closes_at <= opens_at then (day + 1) + closes_at
        else day + closes_at
    end;
comment on function closing is 'When what opens on a day closes, on the clocks of the place.';

-- What is said of a day. ---------------------------------------------------------------------------

-- Who speaks is a number, and of all who speak of a day the lowest is heard: 0 are exceptions, 64
-- holidays, 72 seasons, 80 what is regular. 1 more is what is about every type of visit, 2 more what
-- is about every yard where one is asked for, 32 more what is said of somebody whose hours one shares.

create function said_hours(first date, last date, asked_type text)
    returns table (
        owner_id uuid, timezone text, day date, open boolean, opens timestamp, closes timestamp, yard text,
        voice integer, exceptional boolean, reason text, reason_es text)
    language sql stable parallel safe rows 10000
begin atomic
    select e.owner_id,
           coalesce((select s.timezone from schedules s where s.owner_id = e.owner_id limit 1), 'America/Los_Angeles'),
           first + n, not e.closed, first + n + e.opens_at, closing(first + n, e.opens_at, e.closes_at), e.yard,
           case when e.visit_type is null then 1 else 0 end, true, e.reason, null
    from generate_series(0, last - first) n
    join schedule_exceptions e on first + n between e.starts_on and e.ends_on
    where e.visit_type is null or e.visit_type = asked_type

    union all
    select s.owner_id, s.timezone, d.day, r.open, d.day + s.opens_at, closing(d.day, s.opens_at, s.closes_at), s.yard,
           case when s.kind = 'HOLIDAY' and r.open then 64 when s.kind = 'SEASONAL' then 72 else 80 end
               + case when s.visit_type is null then 1 else 0 end,
           s.kind = 'HOLIDAY', case when s.kind = 'HOLIDAY' then d.label_en end, case when s.kind = 'HOLIDAY' then d.label_es end
    from (
        select first + n as day, v.code is not null as holiday, v.label_en, v.label_es
        from generate_series(0, last - first) n
        left join visiting_holidays v on is_holiday(v, first + n)
        offset 0  -- once for each day, not for each schedule
    ) d
    join schedules s on (s.valid_from is null or s.valid_from <= d.day) and (s.valid_to is null or s.valid_to >= d.day)
    cross join lateral (select recurs(s, d.day, d.holiday) as open) r
    where (s.visit_type is null or s.visit_type = asked_type)
        -- Holiday hours say nothing about other days, nor does a season about the rest of the year.
        and (s.kind = 'REGULAR'
            or (s.kind = 'HOLIDAY' and r.open is not false)
            or (s.kind = 'SEASONAL'
                and (s.dtstart is null or s.dtstart <= d.day) and (s.ends_on is null or s.ends_on >= d.day)));
end;
comment on function said_hours is
    'What exceptions and schedules say of each day: that it is open (at hours that may be unknown), that it is not, '
    'or, if open is null, that it may be. Whom nobody speaks of has no row.';

create function hours_of(own uuid, general uuid, first date, last date, asked_type text, asked_yard text)
    returns table (
        day date, open boolean, opens timestamp, closes timestamp, yard text, exceptional boolean, reason text, reason_es text)
    language sql stable parallel safe rows 10
begin atomic
    select h.day, h.open, h.opens, h.closes, h.yard, h.exceptional, h.reason, h.reason_es
    from (
        select s.*,
               min(s.voice) over (partition by s.day, s.line) as heard,
               min(case when s.line is null then s.voice end) over (partition by s.day) / 8 as heard_by_all
        from (
            select s.day, s.open, s.opens, s.closes, s.exceptional, s.reason, s.reason_es,
                case when general is null then s.yard end as yard,
                -- Yards are asked one by one, unless somebody asks for one, or for the prison from outside.
                case when general is null and asked_yard is null then s.yard end as line,
                case
                    when s.owner_id = general and s.yard is not null then 112
                    when s.owner_id = general and s.voice >= 64 then s.voice / 8 * 8 + 32
                    when s.owner_id = general then s.voice + 32
                    when asked_yard is not null and s.yard is null then s.voice + 2
                    else s.voice
                end as voice
            from said_hours(first, last, asked_type) s
            where s.owner_id = any (array[own, general])
                and (asked_yard is null or s.yard is null or s.yard = asked_yard)
                -- That one yard is closed says nothing to those outside.
                and (s.yard is null or s.open or s.voice >= 64 or s.owner_id = own)
        ) s
    ) h
    -- A yard's own hours do not hold on a day on which the whole prison is an exception.
    where h.voice = h.heard and (h.line is null or h.heard_by_all is null or h.voice / 8 <= h.heard_by_all);
end;
comment on function hours_of is
    'Whose word counts about each day: an exception before a schedule, one''s own before that of the service or the prison '
    'whose hours one shares, a yard''s before the whole prison''s. No row is nobody''s word: unknown.';

-- What closes a place whatever its hours. ----------------------------------------------------------

create function visiting_override(institution uuid, asked_type text, asked_yard text, at timestamptz,
                                  out verdict text, out reason text)
    language plpgsql stable parallel safe as $$
declare
    said record;
begin
    select i.status, i.status_note, v.status as visiting, v.exceptions, v.affected_yards,
           -- The end of what is known of the date.
           (i.closed_on + case i.closed_on_precision
                when 'YEAR' then interval '1 year' when 'MONTH' then interval '1 month' else interval '0' end)::date as closed_on
    into said
    from institutions i
    left join lateral (
        select * from visiting_statuses v
        where v.institution_id = i.id and v.visit_type = coalesce(asked_type, 'IN_PERSON') and v.last_updated <= at
        order by v.last_updated desc, v.created_at desc, v.id limit 1) v on true
    where i.id = institution;
    if said.status in ('CLOSED', 'DEACTIVATED_UNIT')
        and (said.closed_on is null or said.closed_on <= (at at time zone 'America/Los_Angeles')::date) then
        verdict := 'CLOSED';
        reason := said.status_note;
    elsif said.visiting = 'CLOSED' then
        verdict := 'CLOSED';
        reason := said.exceptions;
    elsif said.visiting in ('OPEN_WITH_EXCEPTIONS', 'LIMITED') and asked_yard = any (said.affected_yards) then
        verdict := 'UNKNOWN';
        reason := said.exceptions;
    end if;
end $$;
comment on function visiting_override is
    'Whether visiting is off at a moment: the institution is closed, or the newest visiting status until then says CLOSED, which '
    'holds until there is a newer one. For a yard that has exceptions it is unknown. Null: the hours hold.';

create function hours_override(owner uuid, asked_type text, asked_yard text, at timestamptz,
                               out general uuid, out verdict text, out reason text)
    language plpgsql stable parallel safe as $$
declare
    service record;
    center record;
begin
    -- Only prisons are asked for a type of visit.
    if asked_type is not null then
        select o.verdict, o.reason into verdict, reason from visiting_override(owner, asked_type, asked_yard, at) o;
        return;
    end if;
    select s.status into service from services s where s.id = owner;
    if not found then
        select s.id, s.status into service
        from services_at_locations l join services s on s.id = l.service_id where l.id = owner;
        if found then
            general := service.id;
        end if;
    end if;
    if found then
        if service.status in ('INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED') then
            verdict := 'CLOSED';
        end if;
        return;
    end if;
    select c.* into center from visitor_centers c where c.id = owner;
    if not found then
        select o.verdict, o.reason into verdict, reason from visiting_override(owner, asked_type, asked_yard, at) o;
        return;
    end if;
    if center.status in ('INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED')
        and (center.status_as_of is null or center.status_as_of <= (at at time zone 'America/Los_Angeles')::date) then
        verdict := 'CLOSED';
        reason := center.alert;
    elsif center.opens_with_visiting then
        general := center.institution_id;
        select o.verdict, o.reason into verdict, reason from visiting_override(general, 'IN_PERSON', null, at) o;
    end if;
    if verdict is null and center.status = 'UNKNOWN' then
        verdict := 'UNKNOWN';
        reason := center.alert;
    end if;
end $$;
comment on function hours_override is
    'Whose hours an owner shares beside its own, and what overrides all hours at a moment: CLOSED, or UNKNOWN where nobody can '
    'say whether they hold. Null: they hold.';

-- What clients ask. --------------------------------------------------------------------------------

create function hours_zone(owner uuid, general uuid) returns text
    language plpgsql stable parallel safe as $$
begin
    return (select timezone from schedules where owner_id = any (array[owner, general])
            order by owner_id = owner desc limit 1);
end $$;
comment on function hours_zone is 'The zone of somebody''s hours; null if there are none.';

create function hours_state(owner uuid, at timestamptz default null, asked_type text default null, asked_yard text default null)
    returns text
    language plpgsql stable parallel safe as $$
declare
    general uuid;
    verdict text;
    zone text;
    clock timestamp;
    state text;
begin
    at := coalesce(at, clock());
    select o.general, o.verdict into general, verdict from hours_override(owner, asked_type, asked_yard, at) o;
    if verdict = 'CLOSED' then
        return verdict;
    end if;
    zone := hours_zone(owner, general);
    if zone is null then
        -- Of most nothing was ever said.
        if not exists (select from schedule_exceptions where owner_id = any (array[owner, general])) then
            return 'UNKNOWN';
        end if;
        zone := 'America/Los_Angeles';
    end if;
    clock := wall_clock(at, zone);
    -- What opened the day before may still be open.
    select case
        when bool_or(h.open and h.opens <= clock and clock < h.closes) then 'OPEN'
        when bool_or(h.open is not false and coalesce(h.opens, h.day) <= clock
                     and clock < coalesce(h.closes, h.day + 1)) then 'UNKNOWN'
        when bool_or(h.day = clock::date) then 'CLOSED'
        end into state
    from hours_of(owner, general, clock::date - 1, clock::date, coalesce(asked_type, 'IN_PERSON'), asked_yard) h;
    if verdict = 'UNKNOWN' and state = 'OPEN' then
        return verdict;
    end if;
    return coalesce(state, 'UNKNOWN');
end $$;
comment on function hours_state is 'OPEN, CLOSED or UNKNOWN at a moment; now, if none is given.';

create function is_open(state text) returns boolean
    language sql immutable parallel safe
    return case state when 'OPEN' then true when 'CLOSED' then false end;
comment on function is_open is 'OPEN is true, CLOSED is false, UNKNOWN is null.';

create function open_at(owner uuid, at timestamptz, asked_type text default null, asked_yard text default null)
    returns boolean
    language sql stable parallel safe
    return is_open(hours_state(owner, at, asked_type, asked_yard));

create function open_now(owner uuid, asked_type text default null, asked_yard text default null) returns boolean
    language sql stable parallel safe
    return is_open(hours_state(owner, null, asked_type, asked_yard));

create type opening_hours as (
    day date, open boolean, opens_at timestamptz, closes_at timestamptz, opens time, closes time, timezone text,
    visit_type text, yard text, is_exception boolean, reason text, reason_es text);
comment on type opening_hours is
    'What holds on a day: that it is open, that it is closed all day, or, if open is null, that nobody knows. '
    'HSDS 3 has no such object: it leaves it to who reads its schedule.';

create function hours_between(owner uuid, first date, last date, asked_type text default null, asked_yard text default null)
    returns setof opening_hours
    language plpgsql stable parallel safe rows 10 as $$
declare
    general uuid;
    zone text;
    labelled text;
begin
    select o.general into general from hours_override(owner, asked_type, asked_yard, clock()) o;
    zone := coalesce(hours_zone(owner, general), 'America/Los_Angeles');
    labelled := (select coalesce(asked_type, 'IN_PERSON') from institutions where id = owner);
    return query
    with days as (
        select d.day, o.verdict, o.reason
        from (select first + n as day from generate_series(0, last - first) n) d,
             -- What is said until the end of a day holds for it.
             hours_override(owner, asked_type, asked_yard,
                            instant_of((d.day + 1)::timestamp, zone) - interval '1 microsecond') o
    ), said as (
        select h.*, d.verdict, d.reason as why
        from days d
        join hours_of(owner, general, first, last, coalesce(asked_type, 'IN_PERSON'), asked_yard) h on h.day = d.day
        where d.verdict is distinct from 'CLOSED'
    ), periods as (
        select s.day, s.open, lower(s.period) as opens, upper(s.period) as closes, s.yard, s.exceptional, s.reason, s.reason_es,
               s.verdict, s.why
        from (
            select s.day, s.open, unnest(range_agg(tsrange(s.opens, s.closes))) as period, s.yard, s.exceptional, s.reason,
                   s.reason_es, s.verdict, s.why
            from said s where s.open is not false and s.closes is not null
            group by s.day, s.open, s.yard, s.exceptional, s.reason, s.reason_es, s.verdict, s.why
        ) s
        union
        select s.day, s.open, s.opens, s.closes, s.yard, s.exceptional, s.reason, s.reason_es, s.verdict, s.why
        from said s where s.open is not false and s.closes is null
    ), told as (
        select p.day, case when p.verdict is null then p.open end as open,
               instant_of(p.opens, zone) as opens_at, instant_of(p.closes, zone) as closes_at,
               p.opens::time as opens, p.closes::time as closes, p.yard, p.exceptional or p.verdict is not null as exceptional,
               coalesce(p.why, p.reason) as reason, case when p.why is null then p.reason_es end as reason_es
        from periods p
        -- Where the clock jumps over all of it there is nothing of it.
        where instant_of(p.opens, zone) < instant_of(p.closes, zone) or p.closes is null
        union
        select s.day, false, null, null, null, null, s.yard, true, s.reason, s.reason_es
        from said s where not s.open and s.exceptional
    )
    select t.day, t.open, t.opens_at, t.closes_at, t.opens, t.closes, zone, labelled, t.yard, t.exceptional,
           t.reason, t.reason_es
    from told t
    union all
    select d.day, case when d.verdict = 'CLOSED' or exists (select from said s where s.day = d.day) then false end,
           null, null, null, null, zone, labelled, asked_yard, coalesce(d.verdict = 'CLOSED', false),
           case when d.verdict = 'CLOSED' then d.reason end, null
    from days d where not exists (select from told t where t.day = d.day);
end $$;
comment on function hours_between is
    'What holds from the first to the last of these days: a row for each opening, which may go past midnight, '
    'and at least one for each day.';

create function hours_on(owner uuid, "on" date default null, "from" date default null, "to" date default null,
                         asked_type text default null, asked_yard text default null)
    returns setof opening_hours
    language plpgsql stable parallel safe rows 10 as $$
declare
    today date;
    rows integer;
begin
    if "from" is null then
        today := coalesce("on", hours_today(owner));
        "from" := today;
        "to" := today;
    end if;
    return query select * from hours_between(owner, "from", "to", asked_type, asked_yard);
    get diagnostics rows = row_count;
    if rows > 100 then
        raise exception 'From `from` to `to` there are more than 100 openings. Ask for fewer days.' using errcode = 'CR001';
    end if;
end $$;
comment on function hours_on is 'What holds on a day, or from one to another; today, if none is given.';

create function hours_today(owner uuid) returns date
    language plpgsql stable parallel safe as $$
declare
    general uuid;
begin
    select o.general into general from hours_override(owner, null, null, clock()) o;
    return (clock() at time zone coalesce(hours_zone(owner, general), 'America/Los_Angeles'))::date;
end $$;
comment on function hours_today is 'What day it is at the place.';

create function next_opening(owner uuid, asked_type text default null, asked_yard text default null)
    returns setof opening_hours
    language plpgsql stable parallel safe rows 1 as $$
declare
    today date := hours_today(owner);
    ahead integer := 0;
    week integer := 7;
begin
    -- Most open again within a week.
    while ahead < 63 loop
        return query
        with h as (
            select b.* from hours_between(owner, today + ahead - 1, today + ahead + week - 1, asked_type, asked_yard) b
        )
        select h.* from h
        where h.open and h.day >= today + ahead and (h.opens_at is null or h.opens_at > clock())
            -- What is open around the clock does not open at midnight.
            and not exists (select from h before where before.open and before.yard is not distinct from h.yard
                            and before.opens_at < h.opens_at and h.opens_at <= before.closes_at)
        order by h.day, h.opens_at, h.yard limit 1;
        exit when found;
        ahead := ahead + week;
        week := 28;
    end loop;
end $$;
comment on function next_opening is
    'The next opening within nine weeks that is certain to come, after having been closed. Where its hours are '
    'unknown it is a day, and that may be today.';

create function visiting_on(institution uuid, date date, weekday text, asked_type text, asked_yard text) returns boolean
    language plpgsql stable parallel safe as $$
declare
    day date := date;
begin
    if day is null then
        day := hours_today(institution);
        day := day + (weekday_number(weekday) - weekday_of(day) + 7) % 7;
    end if;
    return (select case when bool_or(h.open) then true when bool_or(h.open is null) then null else false end
            from hours_between(institution, day, day, asked_type, asked_yard) h);
end $$;
comment on function visiting_on is
    'Whether visiting is held on a day, or on the next day of that name, which may be today; null if unknown.';

-- Who is open, all at once: for filters of tables too large to ask one by one. -----------------------

create function hours_clocks(at timestamptz) returns table (timezone text, clock timestamp)
    language sql stable parallel safe rows 2
begin atomic
    -- From one to the next by the index; there are few, of many schedules.
    with recursive zones (timezone) as (
        select min(s.timezone) from schedules s
        union all
        select (select min(s.timezone) from schedules s where s.timezone > z.timezone)
        from zones z where z.timezone is not null
    )
    select z.timezone, wall_clock(at, z.timezone)
    from (select timezone from zones where timezone is not null union select 'America/Los_Angeles') z
    -- Once for each zone, not for each schedule in it.
    offset 0;
end;
comment on function hours_clocks is 'What the clocks show, in each zone that has hours.';

create function services_open_at(at timestamptz default null) returns setof uuid
    language sql stable parallel safe rows 5000
begin atomic
    select distinct h.owner_id
    from hours_clocks(coalesce(at, clock())) c
    cross join lateral said_hours(c.clock::date - 1, c.clock::date, null) h
    where h.timezone = c.timezone
        -- Regular hours that do not hold now have nothing to say to others.
        and (h.voice < 80 or (h.open and h.opens <= c.clock and c.clock < h.closes))
        and not exists (select from services s where s.id = h.owner_id
                        and s.status in ('INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED'))
    group by h.owner_id, h.day
    having min(h.voice) = min(h.voice) filter (where h.open and h.opens <= c.clock and c.clock < h.closes);
end;
comment on function services_open_at is 'The services that are open at a moment, among others that are no services.';

create function places_open_at(at timestamptz default null) returns setof uuid
    language sql stable parallel safe rows 5000
begin atomic
    -- Those with hours or exceptions of their own are few, and are asked one by one.
    select l.id from services_at_locations l
    where l.id in (select service_at_location_id from schedules where service_at_location_id is not null
                   union select service_at_location_id from schedule_exceptions where service_at_location_id is not null)
        and hours_state(l.id, at) = 'OPEN'
    union all
    select l.id from services_open_at(at) s (id)
    join services_at_locations l on l.service_id = s.id
    where not exists (select from schedules o where o.service_at_location_id = l.id)
        and not exists (select from schedule_exceptions o where o.service_at_location_id = l.id);
end;
comment on function places_open_at is 'The services at a location that are open at a moment.';

create function centers_open_at(at timestamptz default null) returns setof uuid
    language sql stable parallel safe rows 30
begin atomic
    select c.id from visitor_centers c where hours_state(c.id, at) = 'OPEN';
end;
comment on function centers_open_at is 'The visitor centers that are open at a moment.';

create function next_change_of_hours() returns timestamptz
    language sql stable parallel safe
    return least(
        (select min(instant_of(c.clock::date + later + t.hour, c.timezone))
         from hours_clocks(clock()) c
         cross join generate_series(0, 1) later
         cross join (
            select opens_at from schedules union select closes_at from schedules
            union select opens_at from schedule_exceptions union select closes_at from schedule_exceptions
            union select time '00:00') t (hour)
         where instant_of(c.clock::date + later + t.hour, c.timezone) > clock()),
        (select min(last_updated) from visiting_statuses where last_updated > clock()));
comment on function next_change_of_hours is
    'The next moment at which anything may open or close, or a day begins: until then no answer about hours changes by itself.';
