-- How far to trust a record: where it comes from, and when that was so.

-- Every row says how old its source's data is, as providers, institutions and centers already do.
do $$
declare
    sourced regclass;
begin
    foreach sourced in array array[
        'counties', 'locations', 'categories', 'activity_group_types', 'services',
        'services_at_locations', 'population_counts', 'visiting_statuses', 'visitor_amenities',
        'visiting_facts', 'visiting_holidays', 'programs', 'program_offerings', 'reentry_programs',
        'phones', 'schedules', 'schedule_exceptions']::regclass[]
    loop
        execute format($sql$
            alter table %s
                add source_date date,
                add source_date_precision text
                    check (source_date_precision in ('DAY', 'MONTH', 'YEAR')),
                add check ((source_date is null) = (source_date_precision is null))
            $sql$, sourced);
    end loop;
end
$$;

create or replace view current_population_counts as
    select distinct on (institution_id) *
    from population_counts
    order by institution_id, month desc;

create or replace view current_visiting_statuses as
    select distinct on (institution_id, visit_type) *
    from visiting_statuses
    order by institution_id, visit_type, last_updated desc, created_at desc, id;

create function source_url(source_id uuid) returns text
    language sql stable strict parallel safe
    return (select url from sources where id = source_id);
comment on function source_url is 'Where a source can be read, if its citation names a page.';

create function source_licence(source_id uuid) returns text
    language sql stable strict parallel safe
    return (select licence from sources where id = source_id);
comment on function source_licence is 'The terms of a source, in its own words; null where it states none.';
