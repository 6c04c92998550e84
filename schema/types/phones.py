"""Phones: how to reach somebody."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from resolvers.fields import phones
from schema.entity import ID, computed, entity, join, part

if TYPE_CHECKING:
    from schema.types.institutions import Institution
    from schema.types.locations import Location
    from schema.types.providers import Provider
    from schema.types.services import Service, ServiceAtLocation
    from schema.types.sources import Provenance
    from schema.types.visitor_centers import VisitorCenter


class PhoneKind(Enum):
    """What a number is for."""

    VOICE = "VOICE"
    """An ordinary line."""
    TTY = "TTY"
    """A text telephone."""
    TEXT = "TEXT"
    """Text messages."""
    FAX = "FAX"
    """Fax."""
    TOLL_FREE = "TOLL_FREE"
    """A line that costs the caller nothing."""
    HOTLINE = "HOTLINE"
    """A line for emergencies."""


@entity(table="phones", order=("number",), large=True, implements=("Sourced",))
class Phone:
    """A telephone number. It belongs to exactly one of the records below."""

    id: ID
    number: str
    """The number in E.164, such as `+19163274901`."""
    extension: str | None
    """What to dial after the connection, digits only."""
    formatted: str = computed(phones.formatted)
    """The number as people in its country write it, such as `(415) 454-1460 ext. 5811`."""
    uri: str = computed(phones.uri)
    """The number as a link that telephones understand (RFC 3966)."""
    kind: PhoneKind
    """What the number is for."""
    purpose: str | None
    """What the line is for, where it is not the main one."""
    institution: Institution | None = join("institution_id")
    """The institution whose number it is."""
    visitor_center: VisitorCenter | None = join("visitor_center_id")
    """The visitor center whose number it is."""
    provider: Provider | None = join("provider_id")
    """The provider whose number it is."""
    service: Service | None = join("service_id")
    """The service whose number it is."""
    location: Location | None = join("location_id")
    """The place whose number it is."""
    service_at_location: ServiceAtLocation | None = join("service_at_location_id")
    """The service at a place whose number it is."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
