"""The objects of HSDS 3: what is inside of what, and which of their fields are numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# Lists inside of an object: the field, what is in it, and the field there that leads back.
_OWN = "attributes:attribute.link_id metadata:metadata.resource_id"
_LISTS = {
    "organization": "additional_websites:url.organization_id funding:funding.organization_id"
    " contacts:contact.organization_id phones:phone.organization_id"
    " locations:location.organization_id programs:program.organization_id"
    " organization_identifiers:organization_identifier.organization_id"
    " services:service.organization_id",
    "service": "additional_urls:url.service_id phones:phone.service_id"
    " schedules:schedule.service_id service_areas:service_area.service_id"
    " service_at_locations:service_at_location.service_id languages:language.service_id"
    " funding:funding.service_id cost_options:cost_option.service_id"
    " required_documents:required_document.service_id contacts:contact.service_id"
    " capacities:service_capacity.service_id",
    "service_at_location": "service_areas:service_area.service_at_location_id"
    " contacts:contact.service_at_location_id phones:phone.service_at_location_id"
    " schedules:schedule.service_at_location_id",
    "location": "languages:language.location_id addresses:address.location_id"
    " contacts:contact.location_id accessibility:accessibility.location_id"
    " phones:phone.location_id schedules:schedule.location_id",
    "contact": "phones:phone.contact_id",
    "phone": "languages:language.phone_id",
}
_PLAIN = (
    "accessibility address cost_option funding language organization_identifier program"
    " required_document schedule service_area service_capacity taxonomy taxonomy_term unit url"
    " meta_table_description attribute metadata"
)

# One object inside of another: the field, what it is, and the field beside it with its id.
_ONES = {
    "service": "organization:organization.organization_id program:program.program_id",
    "service_at_location": "location:location.location_id service:service.service_id",
    "attribute": "taxonomy_term:taxonomy_term.taxonomy_term_id",
    "taxonomy_term": "taxonomy_detail:taxonomy.taxonomy_id",
    "service_capacity": "unit:unit.unit_id",
}

Inside = Mapping[str, tuple[tuple[str, str, str], ...]]


def _read(said: Mapping[str, str], names: Iterable[str], own: str = "") -> Inside:
    found = {}
    for name in names:
        parts = f"{said.get(name, '')} {own}".split()
        fields = [part.replace(":", ".").split(".") for part in parts]
        found[name] = tuple((field, other, by) for field, other, by in fields)
    return found


ENTITIES = (*_LISTS, *_PLAIN.split())
_TOLD = [name for name in ENTITIES if name not in ("attribute", "metadata", "taxonomy_term")]

LISTS: Inside = {
    **_read(_LISTS, _TOLD, _OWN),
    # Nobody attributes an attribute, but its history may be told, as that of a term.
    **_read({}, ("attribute", "taxonomy_term"), "metadata:metadata.resource_id"),
    "metadata": (),
}
ONES: Inside = _read(_ONES, ENTITIES)

# By which of their fields objects lead to what they are inside of.
BACK: Mapping[str, tuple[str, ...]] = {
    name: tuple(
        dict.fromkeys(by for lists in LISTS.values() for _, other, by in lists if other == name)
    )
    for name in ENTITIES
}

# The files that HSDS has, and those of earlier examples.
FILES: Mapping[str, str] = {
    "organization": "organizations",
    "service": "services",
    "service_at_location": "service_at_location",
    "location": "locations",
    "contact": "contacts",
    "phone": "phones",
    "accessibility": "accessibility",
    "address": "addresses",
    "attribute": "attributes",
    "cost_option": "cost_options",
    "funding": "funding",
    "language": "languages",
    "meta_table_description": "meta_table_descriptions",
    "metadata": "metadata",
    "organization_identifier": "organization_identifiers",
    "program": "programs",
    "required_document": "required_documents",
    "schedule": "schedules",
    "service_area": "service_areas",
    "service_capacity": "service_capacity",
    "taxonomy": "taxonomies",
    "taxonomy_term": "taxonomy_terms",
    "unit": "units",
    "url": "url",
}

NUMBERS = frozenset(
    {"latitude", "longitude", "extension", "minimum_age", "maximum_age", "amount", "count"}
    | {"year_incorporated", "timezone", "interval", "available", "maximum"}
)


def entity_called(name: str) -> str | None:
    """Which object a file or a resource of this name has: `services`, `service_full`, `phone`.

    >>> entity_called("service_at_location_list"), entity_called("taxonomies")
    ('service_at_location', 'taxonomy')
    >>> entity_called("notes")
    """
    stem = name.rpartition("/")[2].partition(".")[0].lower()
    for entity in sorted(ENTITIES, key=len, reverse=True):
        for called in (FILES[entity], entity, f"{entity}s"):
            if stem in (called, f"{called}_full", f"{called}_list"):
                return entity
    return None


def entity_like(found: Mapping[str, object]) -> str:
    """Which object this is by its fields, where no name tells."""
    keys = found.keys()
    if "location_type" in keys or "addresses" in keys:
        return "location"
    if keys & {"location", "location_id"} and keys & {"service", "service_id"}:
        return "service_at_location"
    if keys & {"service_at_locations", "organization", "organization_id", "status", "schedules"}:
        return "service"
    if keys & {"taxonomy", "taxonomy_detail", "taxonomy_id", "term_uri"}:
        return "taxonomy_term"
    if "version" in keys:
        return "taxonomy"
    return "organization"
