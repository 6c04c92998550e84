"""Community providers and their services as HSDS 3: the objects that a feed may change."""

from __future__ import annotations

from collections.abc import Mapping

from db.data.hsds.made import PHONE, UNKNOWN_STATUS, assured, hours_in_words, made_id, moment
from db.data.hsds.places import AT_PROVIDER, OF_PROVIDERS

PROVIDERS: Mapping[str, str] = {
    "organization": """
        select p.id, p.name, p.site_name as alternate_name,
               format('A provider as listed by: %s.', o.name) as description,
               p.website,
               case p.org_type when 'NONPROFIT' then 'nonprofit' when 'GOVERNMENT' then 'government'
                   when 'PRIVATE' then 'private' end as legal_status,
               null::uuid as parent_organization_id
        from providers p join sources o on o.id = p.source_id
    """,
    "service": f"""
        select s.id, s.provider_id as organization_id, null::uuid as program_id, s.name,
               nullif(array_to_string(s.offers, '; '), '') as description,
               null::text as email,
               case s.status when 'TEMPORARILY_CLOSED' then 'temporarily closed'
                   else coalesce(lower(s.status), 'active') end as status,
               s.interpretation_services, s.application_process, s.fees_description,
               coalesce(s.eligibility_description, s.conditions) as eligibility_description,
               s.minimum_age, s.maximum_age, {assured("s")} as assured_date,
               nullif(concat_ws(' ', s.alert, case when s.status is null then
                   '{UNKNOWN_STATUS}' end), '') as alert,
               {moment("s.updated_at")} as last_modified
        from services s
    """,
    "location": OF_PROVIDERS["location"],
    "service_at_location": """
        select id, service_id, location_id, null::text as description from services_at_locations
    """,
    "address": OF_PROVIDERS["address"],
    "phone": f"""
        select id, location_id, service_id, provider_id as organization_id, service_at_location_id,
               {PHONE}
        from phones p
        where service_id is not null or provider_id is not null
           or service_at_location_id is not null
           or exists (select from locations l where l.id = p.location_id and {AT_PROVIDER})
    """,
    "schedule": f"""
        select id, service_id, service_at_location_id, valid_from, valid_to, dtstart, until, count,
               wkst, freq, "interval", byday, byweekno, bymonthday, byyearday, description,
               to_char(opens_at, 'HH24:MI') as opens_at, to_char(closes_at, 'HH24:MI') as closes_at,
               format('Times are those of the clocks of %s.', timezone) as notes
        from schedules where service_id is not null or service_at_location_id is not null
        union all
        {hours_in_words("services", "service_id")}
    """,
    "service_area": """
        select a.id, a.service_id, coalesce(c.name || ' County', 'California') as name,
               a.description, coalesce(a.county_fips, '06') as uri
        from service_areas a left join counties c on c.fips = a.county_fips
    """,
    "language": f"""
        select {made_id("'language:'", "s.id::text", "l.code")} as id, s.id as service_id,
               t.label_en as name, l.code, n.note
        from services s cross join unnest(s.languages) as l (code)
        left join terms t on t.vocabulary = 'LANGUAGE' and t.code = l.code
        left join language_notes n on n.service_id = s.id and n.language = l.code
    """,
    "accessibility": OF_PROVIDERS["accessibility"],
    "cost_option": """
        select c.id, c.service_id, t.label_en as option,
               case when c.amount_cents is not null then 'usd' end as currency,
               c.amount_cents / 100.0 as amount, c.note as amount_description
        from cost_options c
        left join terms t on t.vocabulary = 'COST_OPTION' and t.code = c.option
    """,
    "required_document": """
        select d.id, d.service_id,
               concat_ws(': ', case when d.document <> 'OTHER' then t.label_en end, d.note)
                   as document
        from required_documents d
        left join terms t on t.vocabulary = 'DOCUMENT' and t.code = d.document
    """,
    "attribute": f"""
        select {made_id("'category:'", "c.service_id::text", "c.category_code")} as id,
               c.service_id as link_id,
               {made_id("'CATEGORY:'", "c.category_code")} as taxonomy_term_id,
               'category' as link_type, 'service' as link_entity, c.category_code as value
        from service_categories c
        union all
        select {made_id("'audience:'", "s.id::text", "a.code")}, s.id,
               {made_id("'AUDIENCE:'", "a.code")}, 'audience', 'service', a.code
        from services s cross join unnest(s.audience) as a (code)
        union all
        {OF_PROVIDERS["attribute"]}
    """,
}
