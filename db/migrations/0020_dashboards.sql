-- What an agency wants to see at once: how much help of each kind there is, how much of it somebody
-- has checked lately, and which kinds nobody offers.

create function share(part bigint, whole bigint) returns double precision
    language sql immutable parallel safe
    return part::double precision / nullif(whole, 0);
comment on function share is 'A part of a whole, from 0 to 1; null where there is nothing to share.';

create function provider_count(county text) returns integer
    language sql stable parallel safe
    return (select count(*)::integer from providers p where p.county_fips = county and p.listed);

-- Counted from the index alone, so it says what was checked as well as what is listed.
drop index services_county_fips_name_id_listed_idx;
create index on services (county_fips, name, id) include (listed, fresh_until, aging_until);

-- Of the two halves only one is ever read. For one county each service is looked up among the
-- categories by itself (`offset 0` keeps Postgres from reading them all); for the state they all are.
create function services_by_category(county text default null)
    returns table (category_code text, total integer, verified integer, stale integer, never_verified integer)
    language sql stable parallel safe rows 30
begin atomic
    select t.category_code,
           count(*)::integer,
           (count(*) filter (where t.state in ('FRESH', 'AGING')))::integer,
           (count(*) filter (where t.state = 'STALE'))::integer,
           (count(*) filter (where t.state = 'NEVER_VERIFIED'))::integer
    from (
        select c.category_code, freshness_state(s.fresh_until, s.aging_until) as state
        from services s
        cross join lateral (select o.category_code from service_categories o
                            where o.service_id = s.id offset 0) c
        where s.county_fips = county and s.listed
        union all
        select c.category_code, freshness_state(s.fresh_until, s.aging_until)
        from services s
        join service_categories c on c.service_id = s.id
        where county is null and s.listed
    ) t
    group by 1;
end;
comment on function services_by_category is
    'The services that lists show in a county, or in the whole state, by category and how far their last check can be trusted.';

create function service_counts(county text default null)
    returns table (total integer, verified integer, stale integer, never_verified integer)
    language sql stable parallel safe rows 1
begin atomic
    select count(*)::integer,
           (count(*) filter (where t.state in ('FRESH', 'AGING')))::integer,
           (count(*) filter (where t.state = 'STALE'))::integer,
           (count(*) filter (where t.state = 'NEVER_VERIFIED'))::integer
    from (
        select freshness_state(s.fresh_until, s.aging_until) as state
        from services s
        where s.county_fips = county and s.listed
        union all
        select freshness_state(s.fresh_until, s.aging_until)
        from services s
        where county is null and s.listed
    ) t;
end;
comment on function service_counts is
    'The services that lists show in a county, or in the whole state, and how far their last check can be trusted.';

create view wider_categories as
    with recursive line (code, wider) as (
        select code, code from categories
        union
        select l.code, c.parent_code from line l join categories c on c.code = l.wider
        where c.parent_code is not null
    )
    select code, wider from line;
comment on view wider_categories is 'Each category with itself and every wider one.';

-- Strict and dear, so that Postgres asks once for each county and not once for each category.
create function categories_unserved_in(county text) returns setof text
    language sql stable strict parallel safe cost 100000 rows 10
begin atomic
    select c.code
    from categories c
    where c.vocabulary = 'DIRECTORY'
      and c.code <> all (array(
          select w.wider
          from (select distinct o.category_code
                from services s
                cross join lateral (select sc.category_code from service_categories sc
                                    where sc.service_id = s.id offset 0) o
                where s.county_fips = county and s.listed) served
          join wider_categories w on w.code = served.category_code));
end;
comment on function categories_unserved_in is
    'The categories of the directory in which a county has no service that lists show, nor in any narrower one.';

create view unserved_categories as
    select k.fips as county_fips, u.code as category_code
    from counties k
    cross join lateral categories_unserved_in(k.fips) u (code);
comment on view unserved_categories is 'Where a kind of help is missing, county by county.';
