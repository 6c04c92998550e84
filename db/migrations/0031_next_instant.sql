-- Until when an answer that looks at the clock stays as it is, if no table changes. Servers that keep
-- answers ask this once for many of them (db/horizon.py).

create function next_change_of_freshness() returns timestamptz
    language sql stable parallel safe
    -- What is FRESH until a moment is so at that moment, too.
    return (
        select min(until) + interval '1 microsecond'
        from (
            select least(case when fresh_until >= clock() then fresh_until end, aging_until) as until
            from institutions where aging_until >= clock()
            union all
            select least(case when fresh_until >= clock() then fresh_until end, aging_until)
            from visitor_centers where aging_until >= clock()
            union all
            select least(case when fresh_until >= clock() then fresh_until end, aging_until)
            from programs where aging_until >= clock()
            union all
            select least(case when fresh_until >= clock() then fresh_until end, aging_until)
            from program_offerings where aging_until >= clock()
            union all
            select least(case when fresh_until >= clock() then fresh_until end, aging_until)
            from providers where aging_until >= clock()
            union all
            select least(case when fresh_until >= clock() then fresh_until end, aging_until)
            from services where aging_until >= clock()
            union all
            select v.last_updated + make_interval(hours => 24 * days)
            from visiting_statuses v
            cross join freshness_thresholds t
            cross join unnest(array[t.fresh_days, t.aging_days]) days
            where t.kind = 'VISITING_STATUS'
              and v.last_updated + make_interval(hours => 24 * days) >= clock()
        ) moments
    );
comment on function next_change_of_freshness is
    'The next moment at which the freshness of any record changes by itself; null if none does.';

create function next_change_of_capacity() returns timestamptz
    language sql stable parallel safe
    return (
        select min(moment)
        from service_capacities
        cross join unnest(array[counted_at, capacity_expires_at(counted_at, expires_after_hours)]) moment
        where moment > clock()
    );
comment on function next_change_of_capacity is
    'The next moment at which a count of what is free begins to hold or expires; null if none does.';

create function next_instant() returns timestamptz
    language sql stable parallel safe
    return least(next_change_of_hours(), next_change_of_freshness(), next_change_of_capacity());
comment on function next_instant is
    'The next moment at which any rule that looks at the clock can decide otherwise. Each such rule is in a test.';
