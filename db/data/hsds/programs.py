"""Programs, where they run, and what people enter on release, as HSDS 3.

A program is of who runs it, where that is an organization here; else of the department, and its
description says who runs it in the words of its source.
"""

from __future__ import annotations

from collections.abc import Mapping

from db.data.hsds.made import UNKNOWN_STATUS, assured, day, label, made_id, moment, sentence
from db.data.hsds.prisons import CLOSED, CLOSING, DEPARTMENT

_REENTRY_ID = made_id("'reentry:'", "r.id::text")

# It has ended there, or nobody is there any more.
_ENDED = f"(o.status = 'ENDED' or coalesce(o.ended_on <= today(), false) or {CLOSED})"


def _terms(kind: str, code: str, entity: str, link: str, found: str) -> str:
    """What one kind of object is attributed: the words of a kind."""
    return f"""
        select {made_id(f"'{kind.lower()}:'", f"({link})::text", code)} as id, {link} as link_id,
               {made_id(f"'{kind}:'", code)} as taxonomy_term_id, '{kind.lower()}' as link_type,
               '{entity}' as link_entity, {code} as value
        from {found}
    """


def _described(words: str, of: str) -> list[tuple[str, str, str]]:
    """The objects that bear some words: what they are, their ids, and where both are found."""
    if of == "program":
        offered = f"{words} join program_offerings o on o.program_id = p.id"
        return [("program", "p.id", words), ("service", "o.id", offered)]
    return [("program", "r.id", words), ("service", _REENTRY_ID, words)]


# Programs and what is offered of them bear the same words: people look for services by these.
_WORDS = {
    "program": {
        "CATEGORY": "programs p"
        " join program_categories w (program_id, code) on w.program_id = p.id",
        "AUDIENCE": "programs p cross join unnest(p.audience) as w (code)",
    },
    "reentry_program": {
        "CATEGORY": "reentry_programs r"
        " join reentry_program_categories w (program_id, code) on w.program_id = r.id",
        "AUDIENCE": "reentry_programs r cross join unnest(r.audience) as w (code)",
    },
}

PROGRAMS: Mapping[str, str] = {
    "program": f"""
        select p.id, coalesce(p.operator_id, {DEPARTMENT}) as organization_id, p.name,
               concat_ws(' ', {sentence("p.summary")},
                   'Run by: ' || {sentence("p.operator_name")},
                   'How: ' || {label("DeliveredBy", "p.delivered_by")} || '.',
                   case p.scope when 'STATEWIDE' then 'It runs in the whole state.'
                       when 'SOME_INSTITUTIONS' then 'It runs at several institutions.'
                       when 'INSTITUTION' then 'It runs at single institutions.'
                       else 'How widely it runs is not known.' end) as description
        from programs p
        union all
        select r.id, {DEPARTMENT}, r.name,
               concat_ws(' ', 'A program that people enter on or near release.',
                   case r.residential when 'YES' then 'People live there.'
                       when 'SOME' then 'Some people live there.'
                       when 'NO' then 'Nobody lives there.' end,
                   'It lasts up to ' || r.max_length_days || ' days.',
                   'Where: ' || {sentence("r.service_areas")})
        from reentry_programs r
    """,
    "service": f"""
        select o.id, coalesce(p.operator_id, {DEPARTMENT}) as organization_id, p.id as program_id,
               p.name,
               concat_ws(' ', {sentence("p.summary")},
                   concat('How this is known: ', {label("Evidence", "o.evidence")},
                          ', ' || {day("o.as_of")}, '.'),
                   'Places: ' || o.capacity || '.') as description,
               null as email,
               case when {_ENDED} then 'defunct' else 'active' end as status,
               null as interpretation_services, null as application_process,
               null as fees_description, null as eligibility_description,
               null::integer as minimum_age, null::integer as maximum_age,
               {assured("o")} as assured_date,
               nullif(concat_ws(' ', {CLOSING},
                   case when o.status = 'ENDED' or o.ended_on <= today() then 'It has ended here.'
                        when o.ended_on is not null then format('It ends on %s.', o.ended_on) end,
                   case when o.status = 'UNKNOWN' and not {_ENDED} then
                       '{UNKNOWN_STATUS}' end), '') as alert,
               {moment("o.updated_at")} as last_modified
        from program_offerings o join programs p on p.id = o.program_id
        join institutions i on i.id = o.institution_id
        union all
        select {_REENTRY_ID}, {DEPARTMENT}, r.id, r.name, null, null, 'active', null,
               coalesce(r.application_process, r.referral_route), null,
               coalesce(r.eligibility, r.conditions), null, null, null,
               '{UNKNOWN_STATUS}', {moment("r.updated_at")}
        from reentry_programs r
    """,
    "service_at_location": f"""
        select {made_id("'at:'", "o.id::text")} as id, o.id as service_id, i.location_id,
               'In: ' || nullif(array_to_string(o.yards, ', '), '') as description
        from program_offerings o join institutions i on i.id = o.institution_id
        where i.location_id is not null
    """,
    "service_area": f"""
        select {made_id("'area:'", "r.id::text", "c.fips")} as id, {_REENTRY_ID} as service_id,
               c.name || ' County' as name,
               case when a.sites > 1 then a.sites || ' sites' end as description, c.fips as uri
        from reentry_program_counties a join reentry_programs r on r.id = a.reentry_program_id
        join counties c on c.fips = a.county_fips
        union all
        select {made_id("'area:'", "r.id::text")}, {_REENTRY_ID}, 'California', null, '06'
        from reentry_programs r where r.statewide
    """,
    "attribute": " union all ".join(
        _terms(kind, "w.code", entity, link, found)
        for of, kinds in _WORDS.items()
        for kind, words in kinds.items()
        for entity, link, found in _described(words, of)
    ),
}
