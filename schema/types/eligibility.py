"""Eligibility: who may come, what they bring, and whether that fits somebody's situation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from schema.entity import (
    ID,
    Language,
    argument,
    column,
    derived,
    entity,
    given,
    join,
    localized,
    part,
    value,
)
from schema.types.locations import AccessibilityFeature

if TYPE_CHECKING:
    from schema.types.services import Service, ServiceAtLocation
    from schema.types.sources import Provenance


class Audience(Enum):
    """A group of people that something is for."""

    FAMILY = "FAMILY"
    """Families of people inside."""
    INCARCERATED = "INCARCERATED"
    """People inside."""
    PAROLE = "PAROLE"
    """People on parole."""
    PROBATION = "PROBATION"
    """People on probation."""
    FORMERLY_INCARCERATED = "FORMERLY_INCARCERATED"
    """People who were in jail or prison."""
    YOUTH = "YOUTH"
    """Young people."""
    CHILDREN = "CHILDREN"
    """Children."""
    PARENTS = "PARENTS"
    """Parents with their children."""
    PREGNANT = "PREGNANT"
    """Pregnant people."""
    WOMEN = "WOMEN"
    """Women."""
    MEN = "MEN"
    """Men."""
    LGBTQ = "LGBTQ"
    """Lesbian, gay, bisexual, transgender and queer people."""
    SENIORS = "SENIORS"
    """Older people."""
    VETERANS = "VETERANS"
    """People who served in the armed forces."""
    HOMELESS = "HOMELESS"
    """People without a home."""
    LOW_INCOME = "LOW_INCOME"
    """People with a low income."""
    MENTAL_ILLNESS = "MENTAL_ILLNESS"
    """People with a mental illness."""
    DISABILITY = "DISABILITY"
    """People with a disability."""
    IMMIGRANTS = "IMMIGRANTS"
    """Immigrants."""
    FARMWORKERS = "FARMWORKERS"
    """People who work on farms."""
    STUDENTS = "STUDENTS"
    """Students."""
    PARTNER = "PARTNER"
    """Organizations that work with us."""


class Offence(Enum):
    """A kind of offence for which some places turn people away."""

    SEX_OFFENCE = "SEX_OFFENCE"
    """Sex offences, as for those who have to register (Penal Code 290)."""
    OFFENCE_AGAINST_CHILD = "OFFENCE_AGAINST_CHILD"
    """Offences against a child."""
    ARSON = "ARSON"
    """Arson."""
    VIOLENT_FELONY = "VIOLENT_FELONY"
    """Violent felonies (Penal Code 667.5)."""
    DOMESTIC_VIOLENCE = "DOMESTIC_VIOLENCE"
    """Domestic violence."""
    DRUG_MANUFACTURE = "DRUG_MANUFACTURE"
    """Making drugs, for which public housing turns people away."""
    DRUG_SALES = "DRUG_SALES"
    """Selling drugs."""


class Gender(Enum):
    """A person's gender, as that person says it."""

    FEMALE = "FEMALE"
    """A woman."""
    MALE = "MALE"
    """A man."""
    NONBINARY = "NONBINARY"
    """Neither, or both."""


class AcceptedGender(Enum):
    """People of which gender may come."""

    FEMALE = "FEMALE"
    """Women only."""
    MALE = "MALE"
    """Men only."""
    ANY = "ANY"
    """People of any gender."""


class ReferralRoute(Enum):
    """Who can send somebody there."""

    SELF = "SELF"
    """Nobody has to: one can come by oneself."""
    PAROLE_AGENT = "PAROLE_AGENT"
    """A parole agent."""
    PROBATION_OFFICER = "PROBATION_OFFICER"
    """A probation officer."""
    CORRECTIONAL_COUNSELOR = "CORRECTIONAL_COUNSELOR"
    """A correctional counselor, inside."""
    CASE_MANAGER = "CASE_MANAGER"
    """A case manager."""
    COURT = "COURT"
    """A court."""
    ANY = "ANY"
    """Anybody, oneself included."""


class Document(Enum):
    """A paper that one may have to bring."""

    NONE = "NONE"
    """No papers at all, where that is known."""
    PHOTO_ID = "PHOTO_ID"
    """An identity card or driver license with a photo, also one from CDCR."""
    BIRTH_CERTIFICATE = "BIRTH_CERTIFICATE"
    """A birth certificate."""
    SOCIAL_SECURITY_CARD = "SOCIAL_SECURITY_CARD"
    """A Social Security card, or proof of the number."""
    IMMIGRATION_DOCUMENT = "IMMIGRATION_DOCUMENT"
    """A document about residence or citizenship."""
    PROOF_OF_INCOME = "PROOF_OF_INCOME"
    """Proof of how much one earns or gets."""
    PROOF_OF_ADDRESS = "PROOF_OF_ADDRESS"
    """Proof of where one lives."""
    PROOF_OF_INSURANCE = "PROOF_OF_INSURANCE"
    """Proof of health insurance, such as a Medi-Cal card."""
    RELEASE_PAPERS = "RELEASE_PAPERS"
    """Papers given at release."""
    CRIMINAL_RECORD = "CRIMINAL_RECORD"
    """A copy of one's criminal record."""
    REFERRAL_FORM = "REFERRAL_FORM"
    """A form filled in by whoever sends one."""
    TB_TEST = "TB_TEST"
    """A recent test for tuberculosis."""
    DISCHARGE_DD214 = "DISCHARGE_DD214"
    """The discharge from the armed forces (DD 214)."""
    OTHER = "OTHER"
    """Something else, which its note tells."""


class Fee(Enum):
    """A way in which something is paid for."""

    FREE = "FREE"
    """It costs nothing."""
    SLIDING_SCALE = "SLIDING_SCALE"
    """What it costs depends on income."""
    FIXED = "FIXED"
    """It has a price."""
    INSURANCE = "INSURANCE"
    """An insurance pays, such as Medi-Cal."""


class CapacityUnit(Enum):
    """What is counted."""

    BED = "BED"
    """Beds."""
    ROOM = "ROOM"
    """Rooms."""
    APARTMENT = "APARTMENT"
    """Apartments."""
    PLACE = "PLACE"
    """Places in a program or class."""
    APPOINTMENT = "APPOINTMENT"
    """Appointments."""


class Criterion(Enum):
    """A question that decides on who may come, in the order in which reasons are given."""

    AUDIENCE = "AUDIENCE"
    """Which groups of people it is for."""
    RECORD = "RECORD"
    """Whether people with a record may come."""
    OFFENCE = "OFFENCE"
    """For which offences people are turned away."""
    GENDER = "GENDER"
    """People of which gender may come."""
    AGE = "AGE"
    """People of which age may come."""
    RELEASE = "RELEASE"
    """How long before or after release one can enter."""
    REFERRAL = "REFERRAL"
    """Who has to send one, if anybody."""
    LANGUAGE = "LANGUAGE"
    """Which languages are spoken."""
    DOCUMENTS = "DOCUMENTS"
    """Which papers one has to bring."""
    FEES = "FEES"
    """What it costs."""
    COUNTY = "COUNTY"
    """In which county it is."""
    ACCESSIBILITY = "ACCESSIBILITY"
    """Whether people with a disability can use the place."""
    CONDITION = "CONDITION"
    """What the source asks for beside, which no code says."""


class Verdict(Enum):
    """Whether something fits a situation."""

    FITS = "FITS"
    """What is known speaks for it."""
    UNKNOWN = "UNKNOWN"
    """Nothing is known to speak against it, and not enough to say that it fits: ask."""
    DOES_NOT_FIT = "DOES_NOT_FIT"
    """Something is known to speak against it."""


# ISO 639-1. The part with three letters has thousands more: of those only the form is checked.
_ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da"
    " de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy"
    " hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg"
    " li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or"
    " os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta"
    " te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
_LANGUAGES = frozenset(_ISO_639_1.split())

_MOST = 50
_MOST_LANGUAGES = 20
_OLDEST = 120
_LONG_AGO = 36_500


def an_age(age: int | None) -> None:
    """Refuse what is nobody's age."""
    if age is not None and not 0 <= age <= _OLDEST:
        raise ValueError(f"`age` is from 0 to {_OLDEST}.")


def a_situation(
    audience: Sequence[object] | None,
    not_audience: Sequence[object] | None,
    has_record: bool | None,
    offences: Sequence[object] | None,
    gender: object | None,
    age: int | None,
    days_since_release: int | None,
    referral: Sequence[object] | None,
    languages: Sequence[str] | str | None,
    documents: Sequence[object] | None,
    only_free: bool | None,
    county_fips: str | None,
    accessibility: Sequence[object] | None,
) -> None:
    """Refuse what nobody's situation is."""
    an_age(age)
    if days_since_release is not None and abs(days_since_release) > _LONG_AGO:
        raise ValueError(f"`daysSinceRelease` is from -{_LONG_AGO} to {_LONG_AGO}.")
    lists = {
        "audience": audience,
        "notAudience": not_audience,
        "offences": offences,
        "referral": referral,
        "documents": documents,
        "accessibility": accessibility,
    }
    for name, items in lists.items():
        if isinstance(items, list | tuple) and len(items) > _MOST:
            raise ValueError(f"`{name}` has at most {_MOST} items.")
    if not _items(audience).isdisjoint(_items(not_audience)):
        raise ValueError("`audience` and `notAudience` have no group in common.")
    if has_record is False and offences:
        raise ValueError("`offences` is empty where `hasRecord` is false.")
    if isinstance(languages, list | tuple) and len(languages) > _MOST_LANGUAGES:
        raise ValueError(f"`languages` has at most {_MOST_LANGUAGES} items.")
    for code in _items(languages):
        if code not in _LANGUAGES and not re.fullmatch(r"[a-z]{3}", str(code), re.ASCII):
            raise ValueError("`languages` holds ISO 639 codes, such as es or yue.")
    # The 58 counties have the odd numbers.
    if county_fips is not None and not (
        re.fullmatch(r"06\d{3}", county_fips, re.ASCII)
        and int(county_fips[2:]) % 2
        and int(county_fips[2:]) < 2 * 58
    ):
        raise ValueError("`countyFips` is that of a county of California, such as 06019.")


def _items(given: object) -> frozenset[object]:
    """The items of a list, or the one item that stands for a list; nothing if there is none."""
    if given is None:
        return frozenset()
    items = given if isinstance(given, list | tuple) else [given]
    return frozenset(item.value if isinstance(item, Enum) else item for item in items)


@given(check=a_situation, private=True)
class Situation:
    """What somebody tells of themselves, to see what they can use. All of it may be left out.

    It is used for this one answer, which nobody keeps, and written to no log. Send it in variables
    by POST: a URL is written down wherever it passes.
    """

    audience: list[Audience] | None
    """Groups that the person belongs to, such as `PAROLE`."""
    not_audience: list[Audience] | None
    """Groups that the person does not belong to; what is in neither list is unknown."""
    has_record: bool | None
    """Whether the person has a criminal record; follows from groups such as `PAROLE`."""
    offences: list[Offence] | None
    """Offences on the record, of these kinds; an empty list says that there are none of them."""
    gender: Gender | None
    """The person's gender."""
    age: int | None
    """The person's age in years, up to 120."""
    days_since_release: int | None
    """How many days ago the person was released; negative for how many days ahead that is."""
    referral: list[ReferralRoute] | None
    """Who would send the person; `SELF` alone if nobody would."""
    languages: list[str] | None
    """Languages that the person speaks, as ISO 639 codes such as `es`; one of them is enough."""
    documents: list[Document] | None
    """Papers that the person has; an empty list says that there are none."""
    only_free: bool | None
    """True if it may cost nothing."""
    county_fips: str | None
    """The county that the person is in, by its FIPS code such as `06019`."""
    accessibility: list[AccessibilityFeature] | None
    """What the place has to have."""


@value(order=("place",))
class MatchReason:
    """What one criterion says about a situation."""

    place: int
    """Its place among the criteria, which always come in the same order."""
    criterion: Criterion
    """What it is about."""
    verdict: Verdict
    """Whether this speaks for it."""
    text: str = localized(en="text_en", es="text_es")
    """What is known, or what to ask, in words for the person."""


@value()
class Match:
    """Whether something fits a situation, and why.

    A criterion counts if the situation speaks of it, or if something is asked for that the
    situation does not tell.
    """

    verdict: Verdict
    """`DOES_NOT_FIT` if one criterion does not fit, else `UNKNOWN` if one is unknown."""
    reasons: list[MatchReason] = derived("each_reason", "reasons")
    """What each criterion says that counts; none where nobody knows anything."""


@entity(table="required_documents", order=("document",), implements=("Sourced",))
class RequiredDocument:
    """A paper that one has to bring to a service."""

    id: ID
    document: Document
    """Which paper; `NONE` if it is known that one needs none."""
    name: str = derived(
        "document_name",
        "document",
        lang=argument(Language | None, "The language to answer in."),
        filter=False,
        order=False,
    )
    """What to call it."""
    note: str | None
    """What exactly is meant, in the source's words."""
    service: Service = join("service_id")
    """The service that asks for it."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""


@entity(table="cost_options", order=("option",), implements=("Sourced",))
class CostOption:
    """A way in which a service is paid for."""

    id: ID
    option: Fee
    """Which way."""
    amount_cents: int | None
    """The price in cents of a US dollar, where there is one and it is known."""
    note: str | None
    """What it pays for, or who pays."""
    service: Service = join("service_id")
    """The service."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""


@entity(table="language_notes", order=("language",), implements=("Sourced",))
class LanguageNote:
    """What else is known of a language that a service is given in."""

    id: ID
    language: str
    """The language, as an ISO 639 code such as `es`."""
    note: str
    """What is known of it, such as "not always"."""
    service: Service = join("service_id")
    """The service."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""


@entity(table="service_capacities", order=("unit",), implements=("Sourced",))
class ServiceCapacity:
    """How much of something is free at a place."""

    id: ID
    unit: CapacityUnit
    """What is counted."""
    available: int | None = derived(
        "capacity_available", "available", "counted_at", "expires_after_hours"
    )
    """How many are free; null once the count is too old to tell."""
    last_available: int = column("available")
    """How many were free when they were counted."""
    maximum: int | None
    """How many there are in all."""
    description: str | None
    """For whom they are, or of which kind."""
    counted_at: datetime
    """When they were counted."""
    expires_after_hours: int = column(default=24)
    """For how many hours such a count is good."""
    expires_at: datetime = derived("capacity_expires_at", "counted_at", "expires_after_hours")
    """Until when this count is good."""
    is_current: bool = derived("capacity_is_current", "counted_at", "expires_after_hours")
    """Whether this count is still good."""
    service_at_location: ServiceAtLocation = join("service_at_location_id")
    """The service at its place."""
    provenance: Provenance = part()
    """Where this was taken from."""
    created_at: datetime
    """When this record came into the directory."""
    updated_at: datetime
    """When this record last changed here, which is not when anybody last checked it."""
