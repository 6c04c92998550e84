-- Penal Code 6350-6356 as a rule: a visitor center outside each adult state prison that holds more
-- than 300 people (6351), with six services (6352). Whom it asks follows from the counts.

-- These were copied from a file whose compiler had applied the same rule to the same counts.
alter table visitor_centers
    drop column statutory,
    drop column population_used,
    drop column population_as_of,
    drop column population_as_of_precision;

create function last_day(day date, "precision" text) returns date
    language sql immutable strict parallel safe
    return (day + case "precision" when 'YEAR' then interval '1 year'
                                   when 'MONTH' then interval '1 month'
                                   else interval '1 day' end)::date - 1;
comment on function last_day is 'The last day that a date, cut to what is known of it, can mean.';

create function population_on(institution uuid, day date) returns population_counts
    language sql stable parallel safe
begin atomic
    select c from population_counts c
    where c.institution_id = institution and (day is null or c.month <= day)
    order by c.month desc limit 1;
end;
comment on function population_on is
    'The count that holds on a day: the newest up to then, or the newest of all. No row before the first one.';

create function population_used(institution uuid, day date default null) returns integer
    language sql stable parallel safe
    return (population_on(institution, day)).in_custody;

create function population_as_of(institution uuid, day date default null) returns date
    language sql stable parallel safe
    return (population_on(institution, day)).month;

create function visitor_center_required(institution uuid, day date default null) returns boolean
    language sql stable parallel safe
begin atomic
    select case
        -- 6351 speaks of state adult prisons, so no count matters elsewhere.
        when i.institution_type <> 'STATE_PRISON' or i.population_age = 'JUVENILE' then false
        -- Whoever has closed holds nobody, whatever was counted last.
        when i.status in ('CLOSED', 'DEACTIVATED_UNIT')
             and (day is null
                  or day >= coalesce(last_day(i.closed_on, i.closed_on_precision),
                                     last_day(i.status_as_of, i.status_as_of_precision))) then false
        else population_used(i.id, day) > 300
    end
    from institutions i where i.id = institution;
end;
comment on function visitor_center_required is
    'Whether Penal Code 6351 asks for a visitor center here on a day, or now. Null where nobody has counted.';

create view lacked_visitor_services as
    select c.id as visitor_center_id, a.code as amenity_code
    from visitor_centers c
    join visitor_amenities a on a.statutory
    where not exists (select from visitor_center_amenities o
                      where o.visitor_center_id = c.id and o.amenity_code = a.code);
comment on view lacked_visitor_services is
    'The services of Penal Code 6352 that a center is not known to offer, whether or not 6351 asks for that center.';

-- One center that may be open is enough, and what one of them offers is not missing at the prison.
-- UNKNOWN is not closed, and is a gap of its own: somebody has to ask.
create view visitor_service_gaps as
    select i.code || '/' || coalesce(g.amenity_code, g.kind) as key, i.id as institution_id,
           g.kind, g.amenity_code
    from institutions i
    cross join lateral (
        select case
            when not exists (select from visitor_centers c
                             where c.institution_id = i.id and c.status <> 'DEFUNCT') then 'NO_CENTER'
            when not exists (select from visitor_centers c
                             where c.institution_id = i.id and c.status in ('ACTIVE', 'UNKNOWN'))
                then 'CENTER_NOT_ACTIVE'
            when not exists (select from visitor_centers c
                             where c.institution_id = i.id and c.status = 'ACTIVE')
                then 'CENTER_STATUS_UNKNOWN'
        end as kind, null as amenity_code
        union all
        select 'MISSING_SERVICE', a.code
        from visitor_amenities a
        where a.statutory
          and exists (select from visitor_centers c
                      where c.institution_id = i.id and c.status in ('ACTIVE', 'UNKNOWN'))
          and not exists (select from visitor_centers c
                          join visitor_center_amenities o on o.visitor_center_id = c.id
                          where c.institution_id = i.id and c.status in ('ACTIVE', 'UNKNOWN')
                            and o.amenity_code = a.code)
    ) g
    where visitor_center_required(i.id) and g.kind is not null;
comment on view visitor_service_gaps is
    'What Penal Code 6351 and 6352 ask for at a prison and is not known to be there. Nothing where nobody has counted its people.';
