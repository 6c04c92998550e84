"""Places as HSDS 3 has them, with their addresses: what the public may know of them.

A place of a prison or of a visitor center is theirs, also where a provider works there: it bears
the name of the prison, and no feed changes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from db.data.hsds.made import made_id

# Of which places `l` these are.
AT_PRISON = (
    "(exists (select from institutions p where p.location_id = l.id)"
    " or exists (select from visitor_centers p where p.location_id = l.id))"
)
AT_PROVIDER = (
    "(exists (select from providers p where p.location_id = l.id)"
    " or exists (select from services_at_locations a where a.location_id = l.id))"
    f" and not {AT_PRISON}"
)


def _location(organization: str, name: str, found: str) -> str:
    return f"""
        select l.id, {organization} as organization_id, {name} as name,
               case l.location_type when 'MOBILE' then 'physical'
                   else lower(l.location_type) end as location_type,
               nullif(concat_ws(' ',
                   case when l.location_type = 'MOBILE' then 'A van or clinic that moves.' end,
                   case l.address_visibility
                       when 'HIDDEN' then 'The address is not public; call first.'
                       when 'CITY_ONLY' then 'The street is not public; call first.' end,
                   case when l.public_street is null then
                       'In ' || coalesce(l.public_city, c.name || ' County') || '.' end
               ), '') as description,
               l.public_transportation as transportation,
               l.public_latitude as latitude, l.public_longitude as longitude
        from locations l left join counties c on c.fips = l.public_county_fips
        {found}
    """


def _parts(whose: str) -> Mapping[str, str]:
    return {
        "address": f"""
            select {made_id("'address:'", "l.id::text")} as id, l.id as location_id,
                   l.public_street as address_1, l.public_unit as address_2,
                   coalesce(l.public_city, '') as city, c.name as region,
                   l.state as state_province, coalesce(l.public_zip, '') as postal_code,
                   'US' as country,
                   case l.location_type when 'POSTAL' then 'postal' when 'VIRTUAL' then 'virtual'
                       else 'physical' end as address_type
            from locations l left join counties c on c.fips = l.public_county_fips
            where l.public_street is not null and {whose}
        """,
        "accessibility": f"""
            select {made_id("'accessibility:'", "l.id::text", "a.code")} as id,
                   l.id as location_id, coalesce(t.label_en, lower(a.code)) as description
            from locations l cross join unnest(l.accessibility) as a (code)
            left join terms t on t.vocabulary = 'ACCESSIBILITY' and t.code = a.code
            where {whose}
        """,
        "attribute": f"""
            select {made_id("'place:'", "l.id::text", "w.word")} as id, l.id as link_id,
                   {made_id("'PLACE:'", "w.word")} as taxonomy_term_id, 'place' as link_type,
                   'location' as link_entity, w.word as value
            from locations l
            cross join unnest(array_remove(array[nullif(l.address_visibility, 'PUBLIC'),
                       case when l.location_type = 'MOBILE' then 'MOBILE' end], null)) as w (word)
            where {whose}
        """,
    }


OF_PROVIDERS: Mapping[str, str] = {
    "location": _location("null::uuid", "null::text", f"where {AT_PROVIDER}"),
    **_parts(AT_PROVIDER),
}

OF_PRISONS: Mapping[str, str] = {
    # Of two prisons in one place, one keeps it.
    "location": _location(
        "i.id",
        "i.name",
        "join institutions i on i.location_id = l.id and not exists (select from institutions o"
        " where o.location_id = i.location_id and o.id < i.id)",
    )
    + " union all "
    + _location(
        "null",
        "null",
        f"where {AT_PRISON} and not exists (select from institutions i where i.location_id = l.id)",
    ),
    **_parts(AT_PRISON),
}
