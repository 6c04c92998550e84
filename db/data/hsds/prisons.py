"""Prisons, visiting and visitor centers as HSDS 3, for whoever comes to see somebody.

The department is the parent of each institution that is part of no other one. It has no record
here; its id is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from db.data.hsds.made import (
    PHONE,
    UNKNOWN_STATUS,
    assured,
    day,
    hours_in_words,
    label,
    made_id,
    moment,
    sentence,
)
from db.data.hsds.places import AT_PRISON, OF_PRISONS

DEPARTMENT = made_id("'organization:CDCR'")

CLOSED = "has_closed(i, today())"  # of an institution `i`

_VISITING_ID = "hsds_visiting_id(institution_id, visit_type)"

# Each type of visit of which anything is known at an institution; null is every type.
_VISITING = f"""
    (select {_VISITING_ID} as id, institution_id, visit_type from visiting_statuses
     union
     select {_VISITING_ID}, institution_id, visit_type from schedules
     where institution_id is not null)
"""

_HOLIDAYS = "(select string_agg(label_en, ', ' order by month, code) from visiting_holidays)"

# A rule, but for those of holidays: HSDS has no yearly ones, so these are words.
_RULE = f"""
    valid_from, valid_to, dtstart, until, count, wkst, freq,
    case when kind <> 'HOLIDAY' then "interval" end as "interval",
    byday, byweekno, bymonthday, byyearday,
    nullif(concat_ws('; ',
        case when kind = 'HOLIDAY' then concat_ws(': ', 'On visiting holidays', {_HOLIDAYS}) end,
        case when kind = 'HOLIDAY' and opens_at is not null then concat_ws(' to ',
            to_char(opens_at, 'HH24:MI'), to_char(closes_at, 'HH24:MI')) end,
        case when yard is not null then 'For yard ' || yard end, s.description), '') as description,
    case when kind <> 'HOLIDAY' then to_char(opens_at, 'HH24:MI') end as opens_at,
    case when kind <> 'HOLIDAY' then to_char(closes_at, 'HH24:MI') end as closes_at,
    case when kind <> 'HOLIDAY' then
        format('Times are those of the clocks of %s.', timezone) end as notes
"""


def _exceptions(whose: str) -> str:
    """Days to come on which the rules do not hold, in words."""
    return f"""
        (select string_agg(concat(
                    case when e.closed then 'Closed' else format('Open %s to %s',
                        to_char(e.opens_at, 'HH24:MI'), to_char(e.closes_at, 'HH24:MI')) end,
                    case when e.starts_on = e.ends_on then format(' on %s', e.starts_on)
                        else format(' from %s to %s', e.starts_on, e.ends_on) end,
                    ' (yard ' || e.yard || ')', ': ' || rtrim(e.reason, '. '), '.'),
                ' ' order by e.starts_on, e.id)
         from schedule_exceptions e where {whose} and e.ends_on >= today())
    """


_EXCEPTIONS = _exceptions(
    "e.institution_id = v.institution_id and (e.visit_type is null or e.visit_type = v.visit_type)"
)

CLOSING = f"""
    case when {CLOSED} then concat('The institution is closed',
             case when i.closed_on <= today() then ' since ' || {day("i.closed_on")} end, '.')
         when i.status = 'CLOSING' then concat('The institution is to close',
             ' in ' || {day("i.closed_on")}, '.') end
"""

PRISONS: Mapping[str, str] = {
    "organization": f"""
        select {DEPARTMENT} as id,
               'California Department of Corrections and Rehabilitation' as name,
               'CDCR' as alternate_name,
               'The department of the State of California that runs its prisons.' as description,
               'https://www.cdcr.ca.gov/' as website, 'government' as legal_status,
               null::uuid as parent_organization_id
        where exists (select from institutions) or exists (select from programs)
           or exists (select from reentry_programs)
        union all
        select i.id, i.name, nullif(array_to_string(i.alternate_names, '; '), ''),
               concat_ws(' ', {label("InstitutionType", "i.institution_type")} || '.',
                   {CLOSING}, {sentence("i.status_note")},
                   'It holds: ' || lower({label("PopulationGender", "i.population_gender")}) || '.',
                   'Designed for ' || i.design_capacity || ' people.',
                   n.in_custody || ' people were there in ' || to_char(n.month, 'YYYY-MM') || '.',
                   'Opened in ' || i.opened_year || '.', {sentence("i.opened_note")},
                   {sentence("i.deactivations")}),
               i.website,
               -- Who runs a facility in the community we do not know.
               case when i.institution_type <> 'COMMUNITY_REENTRY_FACILITY' then 'government' end,
               coalesce(i.parent_id, {DEPARTMENT})
        from institutions i left join current_population_counts n on n.institution_id = i.id
    """,
    "organization_identifier": f"""
        select {made_id("'identifier:'", "i.id::text", "x.type", "x.identifier")} as id,
               i.id as organization_id, x.type as identifier_type, x.identifier
        from institutions i
        cross join lateral (
            -- The code of a camp is made here, of its name.
            select case i.institution_type when 'CONSERVATION_CAMP'
                        then 'Community Resources Directory' else 'CDCR' end, i.code
            union all select 'CDCR', a.code from unnest(i.aliases) as a (code)
            union all select 'FEMA', i.fema_facility_id where i.fema_facility_id is not null
        ) as x (type, identifier)
    """,
    "location": OF_PRISONS["location"],
    "address": OF_PRISONS["address"],
    "accessibility": OF_PRISONS["accessibility"],
    "service": f"""
        select v.id, v.institution_id as organization_id, null::uuid as program_id,
               case v.visit_type when 'IN_PERSON' then 'Visiting in person'
                   when 'VIDEO' then 'Visiting by video'
                   when 'FAMILY_OVERNIGHT' then 'Family visiting overnight'
                   when 'NON_CONTACT' then 'Visiting behind glass' else 'Visiting' end as name,
               'Visits to people held at ' || i.name || '.' as description,
               n.contact_email as email,
               case when {CLOSED} then 'defunct'
                   when n.status = 'CLOSED' then 'temporarily closed' else 'active' end as status,
               null as interpretation_services, null as application_process,
               null as fees_description, null as eligibility_description,
               null::integer as minimum_age, null::integer as maximum_age, null as assured_date,
               nullif(concat_ws(' ', {CLOSING},
                   case when not {CLOSED} then concat_ws(' ',
                       format(case n.status
                           when 'OPEN' then 'As of %s, visiting is on.'
                           when 'OPEN_WITH_EXCEPTIONS' then 'As of %s, visiting is on, not for all.'
                           when 'LIMITED' then 'As of %s, there are fewer visits than usual.'
                           when 'CLOSED' then 'As of %s, visiting is off.' end,
                           to_char(n.holds_from at time zone 'America/Los_Angeles', 'YYYY-MM-DD')),
                       {sentence("n.exceptions")},
                       {_EXCEPTIONS},
                       case when coalesce(n.status, 'UNKNOWN') = 'UNKNOWN'
                           then '{UNKNOWN_STATUS}' end) end), '') as alert,
               {moment("n.last_updated")} as last_modified
        from {_VISITING} v join institutions i on i.id = v.institution_id
        left join current_visiting_statuses n
            on n.institution_id = v.institution_id and n.visit_type = v.visit_type
        union all
        select c.id, coalesce(c.operator_id, c.institution_id), null, c.name,
               concat_ws(' ', 'A center for visitors of ' || i.name || '.',
                   'Paid for by: ' || {sentence("c.funder")},
                   case when c.opens_with_visiting then
                       'It is open when the institution has visiting.' end,
                   'A ride from public transit has to be asked for '
                       || c.van_notice_days || ' days ahead.',
                   'Children are looked after up to the age of '
                       || c.child_care_max_age || '.'), null,
               case when {CLOSED} then 'defunct'
                   when c.status = 'TEMPORARILY_CLOSED' then 'temporarily closed'
                   when c.status = 'UNKNOWN' then 'active' else lower(c.status) end,
               null, null, null, null, null, null, {assured("c")},
               nullif(concat_ws(' ', {CLOSING}, {sentence("c.alert")},
                   case when not {CLOSED} then concat_ws(' ',
                       {_exceptions("e.visitor_center_id = c.id")},
                       case c.status when 'UNKNOWN' then '{UNKNOWN_STATUS}' end) end), ''),
               {moment("c.updated_at")}
        from visitor_centers c join institutions i on i.id = c.institution_id
    """,
    "service_at_location": f"""
        select {made_id("'at:'", "v.id::text")} as id, v.id as service_id, i.location_id,
               null as description
        from {_VISITING} v join institutions i on i.id = v.institution_id
        where i.location_id is not null
        union all
        select {made_id("'at:'", "c.id::text")}, c.id, coalesce(c.location_id, i.location_id),
               c.location_note
        from visitor_centers c join institutions i on i.id = c.institution_id
        where coalesce(c.location_id, i.location_id) is not null
    """,
    "phone": f"""
        select id, location_id, visitor_center_id as service_id, institution_id as organization_id,
               null::uuid as service_at_location_id, {PHONE}
        from phones p
        where visitor_center_id is not null or institution_id is not null
           or exists (select from locations l where l.id = p.location_id and {AT_PRISON})
    """,
    "schedule": f"""
        select id, {_VISITING_ID} as service_id, null::uuid as service_at_location_id, {_RULE}
        from schedules s where institution_id is not null
        union all
        select id, visitor_center_id, null, {_RULE}
        from schedules s where visitor_center_id is not null
        union all
        {hours_in_words("visitor_centers", "visitor_center_id")}
    """,
    "attribute": f"""
        select {made_id("'amenity:'", "a.visitor_center_id::text", "a.amenity_code")} as id,
               a.visitor_center_id as link_id,
               {made_id("'AMENITY:'", "a.amenity_code")} as taxonomy_term_id,
               'amenity' as link_type, 'service' as link_entity, a.amenity_code as value
        from visitor_center_amenities a
        union all
        select {made_id("'institution_type:'", "id::text")}, id,
               {made_id("'INSTITUTION_TYPE:'", "institution_type")}, 'institution_type',
               'organization', institution_type
        from institutions
        union all
        select {made_id("'security_level:'", "i.id::text", "l.level")}, i.id,
               {made_id("'SECURITY_LEVEL:'", "l.level")}, 'security_level', 'organization', l.level
        from institutions i cross join unnest(i.security_levels) as l (level)
        union all
        {OF_PRISONS["attribute"]}
    """,
}
