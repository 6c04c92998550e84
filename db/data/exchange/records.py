"""What pieces of HSDS become here: rows of our tables, as far as these have a place for them.

What is unknown stays null. What a piece says and no table takes is told, and kept beyond it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import phonenumbers

from db.data.exchange.applied import Incoming, Target
from db.data.exchange.pieces import Problem
from db.data.hsds.made import UNKNOWN_STATUS
from db.data.identity import identity, slug

_SOURCE = ("source_id", "source_record_id", "source_date", "source_date_precision")
_OWNERS = ("service_at_location_id", "service_id", "provider_id", "location_id")


def _target(table: str, columns: str, **more: Any) -> Target:
    named = columns.split()
    owners = tuple(name for name in ("provider_id", "service_id") if name in named)
    # What a feed changes is from that feed from then on.
    return Target(table, (*named, *_SOURCE), along=_SOURCE, owners=owners, **more)


# In the order of their foreign keys.
TARGETS: Mapping[str, Target] = {
    target.table: target
    for target in (
        _target(
            "locations",
            "id location_type address_visibility street unit city county_fips state zip latitude"
            " longitude transportation accessibility",
            default={
                "location_type": "'PHYSICAL'",
                "address_visibility": "'PUBLIC'",
                "state": "'CA'",
                "accessibility": "'{}'",
            },
            # The standard has no word for a place that moves.
            tweak="update incoming_locations i set location_type = t.location_type from locations t"
            " where t.id = i.id and t.location_type = 'MOBILE' and i.location_type = 'PHYSICAL'",
            words={
                "street": "address_1",
                "unit": "address_2",
                "zip": "postal_code",
                "county_fips": "region",
                "state": "state_province",
            },
        ),
        _target(
            "providers",
            "id slug name site_name org_type website location_id county_fips",
            frozen=("slug",),
            refers={"location_id": "locations"},
            may=frozenset({"location_id"}),
            # Where it is says where it works, unless something else is known.
            tweak="update incoming_providers i set county_fips = l.county_fips from locations l"
            " where l.id = i.location_id and i.county_fips is null",
            words={"site_name": "alternate_name", "org_type": "legal_status"},
        ),
        _target(
            "services",
            "id provider_id name offers status alert eligibility_description application_process"
            " interpretation_services fees_description minimum_age maximum_age languages"
            " hours_text audience",
            refers={"provider_id": "providers"},
            default={"offers": "'{}'", "languages": "'{}'"},
            # What is said in one text may be known one by one.
            tweak="update incoming_services i set"
            " offers = case when array_to_string(t.offers, '; ') = array_to_string(i.offers, '; ')"
            "     then t.offers else i.offers end,"
            " eligibility_description = case when t.conditions = i.eligibility_description"
            "     then t.eligibility_description else i.eligibility_description end,"
            " audience = case when t.audience @> i.audience and t.audience <@ i.audience"
            "     then t.audience else i.audience end,"
            " languages = case when t.languages @> i.languages and t.languages <@ i.languages"
            "     then t.languages else i.languages end"
            " from services t where t.id = i.id",
            words={"provider_id": "organization_id", "offers": "description"},
        ),
        _target(
            "services_at_locations",
            "id service_id location_id",
            refers={"service_id": "services", "location_id": "locations"},
        ),
        Target(
            "service_categories",
            ("service_id", "category_code"),
            key=("service_id", "category_code"),
            refers={"service_id": "services"},
            dated=False,
        ),
        _target(
            "language_notes",
            "id service_id language note",
            key=("service_id", "language"),
            frozen=("id",),
            refers={"service_id": "services"},
        ),
        _target(
            "service_areas",
            "id service_id county_fips description",
            refers={"service_id": "services"},
        ),
        _target(
            "cost_options",
            "id service_id option amount_cents note",
            refers={"service_id": "services"},
        ),
        _target(
            "required_documents",
            "id service_id document note",
            refers={"service_id": "services"},
            words={"note": "document"},
        ),
        _target(
            "phones",
            "id number extension kind purpose provider_id service_id service_at_location_id"
            " location_id",
            refers={
                "provider_id": "providers",
                "service_id": "services",
                "service_at_location_id": "services_at_locations",
                "location_id": "locations",
            },
            loose=frozenset({"provider_id", "service_id", "service_at_location_id", "location_id"}),
            words={
                "kind": "type",
                "purpose": "description",
                "provider_id": "organization_id",
            },
        ),
        _target(
            "schedules",
            "id service_id service_at_location_id description timezone opens_at closes_at freq"
            " interval byday bymonthday byweekno byyearday wkst dtstart until count valid_from"
            " valid_to",
            default={"timezone": "'America/Los_Angeles'", "interval": "1"},
            refers={"service_id": "services", "service_at_location_id": "services_at_locations"},
            loose=frozenset({"service_id", "service_at_location_id"}),
        ),
    )
}

Made = tuple[str, Incoming]


@dataclass(frozen=True, slots=True)
class Ours:
    """A piece that is part of a row of ours has an id there, made of what it belongs to."""

    entity: str
    key: UUID
    our: UUID
    owner: UUID


@dataclass(frozen=True, slots=True)
class Staged:
    """A piece, read again, with the pieces inside of it that say something of the same row."""

    entity: str
    key: UUID
    object: Mapping[str, Any]
    parents: Mapping[str, UUID]  # by what they are
    place: str
    dated: datetime | None
    inside: Mapping[str, list[tuple[UUID, Mapping[str, Any], str]]] = field(default_factory=dict)


def digested(*parts: str) -> UUID:
    """The id that the export makes of what a part belongs to (`made_id` in hsds/made.py)."""
    digits = hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()
    return UUID(digits[:12] + "3" + digits[13:16] + "8" + digits[17:])


@dataclass(slots=True)
class Maker:
    """Makes rows, and tells what it cannot take."""

    source_id: UUID
    counties: Mapping[str, str]  # names and codes, in lower case
    categories: frozenset[str]
    languages: frozenset[str]
    labels: Mapping[tuple[str, str], str]  # vocabulary, label in lower case -> code
    problems: list[Problem] = field(default_factory=list)
    ours: list[Ours] = field(default_factory=list)
    refused: set[UUID] = field(default_factory=set)

    def make(self, piece: Staged) -> Iterator[Made]:
        """The rows of a piece."""
        maker = getattr(self, f"_{piece.entity}", None)
        if maker is not None:
            yield from maker(piece)

    # Told

    def _tell(
        self, piece: Staged, name: str, message: str, *, reason: str = "INVALID", place: str = ""
    ) -> None:
        at = place or piece.place
        said = piece.object.get(name)
        self.problems.append(Problem(at, piece.entity, name, said, reason, message, row_kept=True))

    def _refuse(self, piece: Staged, name: str, message: str, reason: str = "INVALID") -> None:
        said = piece.object.get(name)
        self.problems.append(Problem(piece.place, piece.entity, name, said, reason, message))
        self.refused.add(piece.key)

    def _row(self, piece: Staged, table: str, **values: object) -> Made:
        values = {
            "id": piece.key,
            "source_id": self.source_id,
            "source_record_id": _text(piece.object.get("id")),
            "source_date": piece.dated.date() if piece.dated else None,
            "source_date_precision": "DAY" if piece.dated else None,
            **values,
        }
        row = tuple(values.get(name) for name in TARGETS[table].columns)
        return table, Incoming(piece.entity, piece.key, piece.place, piece.dated, row)

    def _said(self, piece: Staged, name: str) -> str | None:
        """A text; what is none is told."""
        said = piece.object.get(name)
        if said is None or said == "":
            return None
        if isinstance(said, str | int | float) and not isinstance(said, bool):
            return _text(said)
        self._tell(piece, name, "is no text")
        return None

    def _name(self, piece: Staged) -> str | None:
        name = self._said(piece, "name")
        if name is None or not name.strip():
            self._refuse(piece, "name", "is needed", "MISSING")
            return None
        if len(name) > 500:
            self._refuse(piece, "name", "has more than 500 characters: it is no name")
            return None
        return name

    # Records

    def _organization(self, piece: Staged) -> Iterator[Made]:
        name = self._name(piece)
        if name is None:
            return
        website = self._said(piece, "website")
        if website is not None and not re.match(r"https?://\S", website):
            self._tell(piece, "website", "is no web address that begins with http:// or https://")
            website = None
        legal = (self._said(piece, "legal_status") or "").strip().lower().replace("-", "")
        kinds = {"nonprofit": "NONPROFIT", "government": "GOVERNMENT", "private": "PRIVATE"}
        place = min((key for key, _, _ in piece.inside.get("location", ())), default=None)
        yield self._row(
            piece,
            "providers",
            slug=f"{slug(name, limit=50) or 'provider'}-{piece.key.hex[:8]}",
            name=name,
            site_name=self._said(piece, "alternate_name"),
            org_type=kinds.get(legal),
            website=website,
            location_id=place,
        )

    def _location(self, piece: Staged) -> Iterator[Made]:
        types = {"physical": "PHYSICAL", "postal": "POSTAL", "virtual": "VIRTUAL"}
        said = (self._said(piece, "location_type") or "").lower()
        if said and said not in types:
            self._tell(piece, "location_type", "is none of physical, postal, virtual")
        type_ = types.get(said)
        visibility = None
        for key, each, _ in piece.inside.get("attribute", ()):
            words = {str(each.get(name)).upper() for name in ("value", "link_type", "label")}
            if words & {"HIDDEN", "CITY_ONLY"}:
                visibility = "HIDDEN" if "HIDDEN" in words else "CITY_ONLY"
            if "MOBILE" in words:
                type_ = "MOBILE"
            for word in words & {"HIDDEN", "CITY_ONLY", "MOBILE"}:
                our = digested("place:", str(piece.key), word)
                self.ours.append(Ours("attribute", key, our, piece.key))
        latitude = self._degrees(piece, "latitude", 90)
        longitude = self._degrees(piece, "longitude", 180)
        if latitude is None or longitude is None:
            latitude = longitude = None  # half a point is nowhere
        features = None
        for key, each, _ in piece.inside.get("accessibility", ()):
            label = str(each.get("description")).strip().lower()
            if code := self.labels.get(("ACCESSIBILITY", label)):
                features = [*(features or ()), code]
                our = digested("accessibility:", str(piece.key), code)
                self.ours.append(Ours("accessibility", key, our, piece.key))
        yield self._row(
            piece,
            "locations",
            location_type=type_,
            address_visibility=visibility,
            latitude=latitude,
            longitude=longitude,
            transportation=self._said(piece, "transportation"),
            accessibility=features,
            **self._address(piece),
        )

    def _address(self, piece: Staged) -> Mapping[str, object]:
        """The first address of a place that is one of ours."""
        order = {"physical": 0, "postal": 1}
        found = sorted(
            piece.inside.get("address", ()),
            key=lambda each: (order.get(str(each[1].get("address_type")), 2), each[0]),
        )
        for key, each, at in found:
            address = Staged("address", key, each, {}, at, piece.dated)
            country = (self._said(address, "country") or "US").upper()
            state = (self._said(address, "state_province") or "").strip()
            state = {"california": "CA"}.get(state.lower(), state.upper())
            if country not in ("US", "USA") or not re.fullmatch("[A-Z]{2}", state):
                name = "country" if country not in ("US", "USA") else "state_province"
                self._tell(address, name, "is no state of the United States, as two letters")
                continue
            zip_ = self._said(address, "postal_code")
            if zip_ is not None and not re.fullmatch(r"\d{5}(-\d{4})?", zip_, re.ASCII):
                self._tell(address, "postal_code", "is no zip code")
                zip_ = None
            region = (self._said(address, "region") or "").strip().lower()
            county = self.counties.get(region.removesuffix(" county")) if state == "CA" else None
            self.ours.append(Ours("address", key, digested("address:", str(piece.key)), piece.key))
            return {
                "street": self._said(address, "address_1"),
                "unit": self._said(address, "address_2"),
                "city": self._said(address, "city"),
                "county_fips": county,
                "state": state,
                "zip": zip_,
            }
        return {}

    def _degrees(self, piece: Staged, name: str, most: int) -> float | None:
        said = piece.object.get(name)
        if said is None:
            return None
        try:
            number = float(said)
        except (TypeError, ValueError):
            number = float("nan")
        if isinstance(said, bool) or not abs(number) <= most:
            self._tell(piece, name, f"is no number from -{most} to {most}")
            return None
        return number

    def _whole(self, piece: Staged, name: str, low: int, high: int) -> int | None:
        said = piece.object.get(name)
        if said is None:
            return None
        number = not isinstance(said, bool) and isinstance(said, int | float)
        if number and said == said // 1 and low <= said <= high:
            return int(said)
        self._tell(piece, name, f"is no whole number from {low} to {high}")
        return None

    def _service(self, piece: Staged) -> Iterator[Made]:
        name = self._name(piece)
        if name is None:
            return
        words = {
            "active": "ACTIVE",
            "inactive": "INACTIVE",
            "defunct": "DEFUNCT",
            "temporarily closed": "TEMPORARILY_CLOSED",
        }
        said = (self._said(piece, "status") or "").lower()
        if said and said not in words:
            self._tell(piece, "status", f"is none of {', '.join(words)}")
        status = words.get(said)
        alert = self._said(piece, "alert")
        if alert is not None and UNKNOWN_STATUS in alert:
            # An export of ours: it says active, because it has no word for what nobody knows.
            alert = alert.replace(UNKNOWN_STATUS, "").strip() or None
            status = None
        youngest = self._whole(piece, "minimum_age", 0, 120)
        oldest = self._whole(piece, "maximum_age", 0, 120)
        if youngest is not None and oldest is not None and youngest > oldest:
            self._tell(piece, "minimum_age", "is more than maximum_age")
            youngest = oldest = None
        description = self._said(piece, "description")
        yield self._row(
            piece,
            "services",
            provider_id=piece.parents.get("organization"),
            name=name,
            offers=[description] if description else None,
            status=status,
            alert=alert,
            eligibility_description=self._said(piece, "eligibility_description"),
            application_process=self._said(piece, "application_process"),
            interpretation_services=self._said(piece, "interpretation_services"),
            fees_description=self._said(piece, "fees_description"),
            minimum_age=youngest,
            maximum_age=oldest,
            languages=self._languages(piece),
            hours_text=self._hours_text(piece),
            audience=self._audience(piece),
        )
        yield from self._categories(piece)

    def _languages(self, piece: Staged) -> list[str] | None:
        codes = []
        for key, each, _ in piece.inside.get("language", ()):
            code = each.get("code")
            if isinstance(code, str) and re.fullmatch("[a-z]{2,3}", code) and code not in codes:
                codes.append(code)
                our = digested("language:", str(piece.key), code)
                self.ours.append(Ours("language", key, our, piece.key))
        return sorted(codes) or None

    def _hours_text(self, piece: Staged) -> str | None:
        """Hours of which only the words are known."""
        found = piece.inside.get("schedule", ())
        if any(self._rule(_inner(piece, "schedule", each), told=False) for each in found):
            return None
        for key, each, _ in found:
            words = each.get("description")
            if isinstance(words, str) and words:
                our = digested("schedule:", str(piece.key))
                self.ours.append(Ours("schedule", key, our, piece.key))
                return words
        return None

    def _audience(self, piece: Staged) -> list[str] | None:
        found = set()
        for key, each, _ in piece.inside.get("attribute", ()):
            code = each.get("term")
            if each.get("taxonomy") == "AUDIENCE" and self.labels.get(
                ("AUDIENCE", str(code).lower())
            ):
                found.add(str(code))
                our = digested("audience:", str(piece.key), str(code))
                self.ours.append(Ours("attribute", key, our, piece.key))
        return sorted(found) or None

    def _categories(self, piece: Staged) -> Iterator[Made]:
        for key, each, place in piece.inside.get("attribute", ()):
            term = each.get("term")
            said = each.get("value")
            # By the code of the term, where it is one of our tree, or by the value beside it.
            for code in (term, said) if each.get("taxonomy") == "CATEGORY" else ():
                if code in self.categories:
                    our = digested("category:", str(piece.key), str(code))
                    self.ours.append(Ours("attribute", key, our, piece.key))
                    row = Incoming("attribute", key, place, piece.dated, (piece.key, code))
                    yield "service_categories", row
                    break

    def _service_at_location(self, piece: Staged) -> Iterator[Made]:
        yield self._row(
            piece,
            "services_at_locations",
            service_id=piece.parents.get("service"),
            location_id=piece.parents.get("location"),
        )

    # Parts

    def _language(self, piece: Staged) -> Iterator[Made]:
        code, note = piece.object.get("code"), self._said(piece, "note")
        service = piece.parents.get("service")
        if service is None or note is None or not isinstance(code, str):
            return
        if re.fullmatch("[a-z]{2,3}", code):
            own = identity("language_notes", f"{service}/{code}")
            yield self._row(
                piece, "language_notes", id=own, service_id=service, language=code, note=note
            )

    def _service_area(self, piece: Staged) -> Iterator[Made]:
        service = piece.parents.get("service")
        uri = str(piece.object.get("uri", "")).strip()
        name = str(piece.object.get("name", "")).strip().lower()
        county = self.counties.get(uri) or self.counties.get(name.removesuffix(" county"))
        statewide = uri == "06" or name in ("california", "statewide", "state of california")
        if service is None or not (county or statewide):
            return
        yield self._row(
            piece,
            "service_areas",
            service_id=service,
            county_fips=None if statewide else county,
            description=self._said(piece, "description"),
        )

    def _cost_option(self, piece: Staged) -> Iterator[Made]:
        service = piece.parents.get("service")
        option = self.labels.get(("COST_OPTION", str(piece.object.get("option", "")).lower()))
        amount = piece.object.get("amount")
        cents = None
        if isinstance(amount, int | float) and not isinstance(amount, bool):
            exact = round(amount * 100, 4)
            if piece.object.get("currency") == "usd" and exact == int(exact) and 0 < exact < 2**31:
                cents = int(exact)
                option = option or "FIXED"
        if service is None or option is None or (amount and (cents is None or option != "FIXED")):
            return
        yield self._row(
            piece,
            "cost_options",
            service_id=service,
            option=option,
            amount_cents=cents,
            note=self._said(piece, "amount_description"),
        )

    def _required_document(self, piece: Staged) -> Iterator[Made]:
        service = piece.parents.get("service")
        words = self._said(piece, "document")
        if service is None or words is None:
            return
        label, _, note = words.partition(": ")
        code = self.labels.get(("DOCUMENT", label.strip().lower()))
        if code is None or code == "OTHER":
            code, note = "OTHER", words
        yield self._row(
            piece, "required_documents", service_id=service, document=code, note=note or None
        )

    def _phone(self, piece: Staged) -> Iterator[Made]:
        owners = {
            f"{'provider' if owner == 'organization' else owner}_id": piece.parents[owner]
            for owner in ("organization", "service", "service_at_location", "location")
            if owner in piece.parents
        }
        if not owners:
            return  # of a contact: it is kept with that
        said = self._said(piece, "number")
        found = _number(said) if said else None
        if found is None:
            self._tell(piece, "number", "is no phone number" if said else "is needed")
            return
        number, toll_free = found
        extension = self._said(piece, "extension")
        if extension is not None and not re.fullmatch(r"[0-9]{1,10}", extension):
            self._tell(piece, "extension", "is not up to ten digits")
            extension = None
        type_ = (self._said(piece, "type") or "").lower()
        kinds = {"textphone": "TTY", "text": "TEXT", "sms": "TEXT", "fax": "FAX"}
        kind = kinds.get(type_) or ("TOLL_FREE" if toll_free else "VOICE")
        purpose = self._said(piece, "description")
        if purpose in ("Toll-free", "Hotline") and kind in ("VOICE", "TOLL_FREE"):
            kind = "HOTLINE" if purpose == "Hotline" else "TOLL_FREE"
            purpose = None
        owner = next(iter(owners))
        yield self._row(
            piece,
            "phones",
            number=number,
            extension=extension,
            kind=kind,
            purpose=purpose,
            **{owner: owners[owner]},
        )

    def _schedule(self, piece: Staged) -> Iterator[Made]:
        owner = next(
            (one for one in ("service_at_location", "service") if one in piece.parents), None
        )
        if owner is None:
            return
        rule = self._rule(piece, told=True)
        if rule is not None:
            yield self._row(piece, "schedules", **{f"{owner}_id": piece.parents[owner]}, **rule)

    def _rule(self, piece: Staged, *, told: bool) -> Mapping[str, object] | None:
        """A recurrence as ours, if it is one by RFC 5545 and by what we can answer of it."""
        said = piece.object
        try:
            return _rule(said)
        except _NotOurs as reason:
            name, message = reason.args
            words = {"id", "description", "notes", "service_id", "valid_from", "valid_to"}
            only_words = set(said) <= words
            if told and not only_words:
                self._tell(piece, name, message)
            return None


def _inner(piece: Staged, entity: str, each: tuple[UUID, Mapping[str, Any], str]) -> Staged:
    return Staged(entity, each[0], each[1], {}, each[2], piece.dated)


class _NotOurs(Exception):  # noqa: N818  it is no failure: the rule is kept as it is
    """A field of a rule, and why we cannot say it."""


_DAY = "(MO|TU|WE|TH|FR|SA|SU)"
_YEARDAY = r"-?([1-9]\d?|[12]\d\d|3[0-5]\d|36[0-6])"
_LISTS = {
    "byday": rf"([+-]?[1-5])?{_DAY}(,([+-]?[1-5])?{_DAY})*",
    "bymonthday": r"-?([1-9]|[12][0-9]|3[01])(,-?([1-9]|[12][0-9]|3[01]))*",
    "byweekno": r"-?([1-9]|[1-4][0-9]|5[0-3])(,-?([1-9]|[1-4][0-9]|5[0-3]))*",
    "byyearday": rf"{_YEARDAY}(,{_YEARDAY})*",
    "wkst": _DAY,
    "freq": "(WEEKLY|MONTHLY)",
}
_CLOCKS = re.compile(r"Times are those of the clocks of (?P<zone>[A-Za-z_]+(/[A-Za-z_+-]+)+)\.")


def _rule(said: Mapping[str, Any]) -> Mapping[str, object]:
    """The columns of a rule (0008 and 0013). Raises _NotOurs."""
    rule: dict[str, object] = {}
    for name, pattern in _LISTS.items():
        value = said.get(name)
        if value is None or value == "":
            continue
        value = value.replace(" ", "") if isinstance(value, str) else value
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise _NotOurs(name, "is not as RFC 5545 has it")
        rule[name] = value
    for name in ("dtstart", "until", "valid_from", "valid_to"):
        rule[name] = _parsed(said, name, date.fromisoformat, "is no date such as 2026-06-30")
    for name in ("opens_at", "closes_at"):
        rule[name] = _parsed(said, name, _clock, "is no time of the day such as 09:00")
    for name in ("interval", "count"):
        value = said.get(name)
        if value is not None and (isinstance(value, bool) or value not in range(1, 10_000)):
            raise _NotOurs(name, "is no whole number from 1 on")
        rule[name] = None if value is None else int(value)
    freq, every = rule.get("freq"), rule["interval"] or 1
    if freq is None:
        raise _NotOurs("freq", "is needed for a rule")
    for name, other in (("bymonthday", "WEEKLY"), ("byweekno", "MONTHLY")):
        if rule.get(name) and freq == other:
            raise _NotOurs(name, f"cannot be with {other} (RFC 5545)")
    if freq == "WEEKLY" and re.search(r"\d", str(rule.get("byday") or "")):
        raise _NotOurs("byday", "has a number, which cannot be with WEEKLY (RFC 5545)")
    if not any(rule.get(name) for name in ("byday", "bymonthday", "byyearday", "dtstart")):
        raise _NotOurs("freq", "recurs on no day that is said")
    if (every != 1 or rule["count"]) and not rule["dtstart"]:
        raise _NotOurs("dtstart", "is needed with interval or count")
    if rule["count"] and rule["until"]:
        raise _NotOurs("count", "cannot be with until (RFC 5545)")
    for first, last in (("dtstart", "until"), ("valid_from", "valid_to")):
        early, late = rule[first], rule[last]
        if isinstance(early, date) and isinstance(late, date) and early > late:
            raise _NotOurs(first, f"is after {last}")
    if isinstance(start := rule["dtstart"], date) and not 1900 <= start.year <= 2199:
        raise _NotOurs("dtstart", "is not between 1900 and 2199")
    if rule["closes_at"] and not rule["opens_at"]:
        raise _NotOurs("closes_at", "closes what does not open")
    words = said.get("description")
    rule["description"] = words if isinstance(words, str) and words else None
    zone = _CLOCKS.search(str(said.get("notes", "")))
    rule["timezone"] = zone["zone"] if zone else None
    return rule


def _parsed(said: Mapping[str, Any], name: str, parse: Any, message: str) -> Any:
    value = said.get(name)
    if value is None or value == "":
        return None
    try:
        return parse(value)
    except (TypeError, ValueError) as error:
        raise _NotOurs(name, message) from error


def _clock(text: str) -> time:
    found = time.fromisoformat(text)
    if found.tzinfo is not None:
        # An offset holds for half of the year.
        raise ValueError(text)
    return found


def _number(text: str) -> tuple[str, bool] | None:
    """A number in E.164, and whether it costs nothing."""
    try:
        number = phonenumbers.parse(text.strip(' "'), "US")
    except phonenumbers.NumberParseException:
        return None
    found = phonenumbers.number_type(number)
    if found == phonenumbers.PhoneNumberType.UNKNOWN:
        return None
    toll_free = found == phonenumbers.PhoneNumberType.TOLL_FREE
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), toll_free


def moment(text: object) -> datetime | None:
    """A date or time as feeds write it; a day is its first
    moment, so that whoever looked on that day knows better.

    >>> moment("2011-01-01").isoformat(), moment("2023-03-15T10:30:45Z").isoformat()
    ('2011-01-01T00:00:00+00:00', '2023-03-15T10:30:45+00:00')
    >>> moment("spring")
    """
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _text(said: object) -> str | None:
    return None if said is None else str(said)
