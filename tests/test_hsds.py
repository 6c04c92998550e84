"""The directory as HSDS 3: valid by its schemas, whole, and no more than the public may know."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from db.data import hsds
from db.data.exchange.standard import FILES as STANDARD
from db.data.hsds import NESTED, OBJECTS, Form, export
from db.data.hsds.made import UNKNOWN_STATUS
from db.roles import role_name
from tests.db.scratch import connected, scratch
from tests.serving import ROOT, command

# Of the files of HSDS those for which the directory has something.
FILES = {name: STANDARD[name] for name in OBJECTS}

# Not ours to copy; whoever has it beside the project checks what we write against it.
SCHEMAS = ROOT.parent / "shared" / "data" / "hsds-examples" / "hsds-3.1-schema"
valid_by_schema = pytest.mark.skipif(
    not SCHEMAS.is_dir(),
    reason=f"NO HSDS SCHEMAS in {SCHEMAS}: what is exported was NOT validated",
)

STREET, CITY = "1 Secret Shelter Way", "Nowhereville"

# One of everything that the real directory has none of, or too little to be sure.
_AWKWARD = f"""
    with l as (
        insert into locations (id, address_visibility, location_type, street, city, county_fips,
                               zip, latitude, longitude, transportation, accessibility, source_id)
        select gen_random_uuid(), v, t, '{STREET}', '{CITY}', '06037', '90001', 34.0, -118.2,
               'Bus to {CITY}', array['RAMP'], (select id from sources limit 1)
        from (values ('HIDDEN', 'PHYSICAL'), ('CITY_ONLY', 'PHYSICAL'), ('HIDDEN', 'MOBILE'))
            as x (v, t)
        returning id
    ), s as (
        select * from services where hours_text is null order by id limit 3
    ), a as (
        insert into services_at_locations (id, service_id, location_id, source_id)
        select gen_random_uuid(), s.id, l.id, s.source_id from s, l returning id, source_id
    ), h as (
        insert into schedules (id, service_at_location_id, freq, byday, "interval", dtstart, until,
                               opens_at, closes_at, valid_from, wkst, source_id)
        select gen_random_uuid(), id, 'WEEKLY', 'MO,TU', 2, '2026-01-05', '2027-01-04', '09:00',
               '17:30', '2026-01-01', 'MO', source_id from a
    ), p as (
        insert into phones (id, number, extension, kind, service_at_location_id, source_id)
        select gen_random_uuid(), '+19165550100', '0042', 'HOTLINE', id, source_id from a
    ), d as (
        insert into required_documents (service_id, document, note, source_id)
        select id, d, case d when 'OTHER' then 'a letter' end, source_id
        from s, unnest(array['PHOTO_ID', 'OTHER']) d
    )
    insert into cost_options (service_id, option, amount_cents, note, source_id)
    select id, 'FIXED', 1250, 'a day', source_id from s
"""

# Prisons as the real directory has none: at a hidden address, with a center that nobody is known to
# run; with visiting off, or not as usual; and a program that has ended at one that is open.
_PRISONS = f"""
    with source as (select id from sources limit 1), place as (
        insert into locations (id, address_visibility, street, city, county_fips, zip, latitude,
                               longitude, transportation, accessibility, source_id)
        select gen_random_uuid(), 'HIDDEN', '{STREET}', '{CITY}', '06037', '90001', 34.0, -118.2,
               'Bus to {CITY}', array['RAMP'], id from source
        returning id
    ), prison as (
        insert into institutions (id, code, name, institution_type, status, closed_on,
                                  closed_on_precision, location_id, county_fips, source_id)
        select gen_random_uuid(), 'HID-' || n, 'Hidden Prison ' || n, 'STATE_PRISON',
               case n when 5 then 'CLOSING' else 'OPEN' end,
               case n when 5 then date '2100-05-01' end, case n when 5 then 'MONTH' end,
               case n when 1 then place.id end, '06037', source.id
        from source, place, generate_series(1, 5) n
        returning id, code
    ), center as (
        insert into visitor_centers (id, slug, institution_id, name, alert, source_id)
        select gen_random_uuid(), lower(code), prison.id, 'Center ' || code, 'Ring twice', source.id
        from prison, source where code in ('HID-1', 'HID-5')
        returning id, source_id
    ), statuses as (
        insert into visiting_statuses (institution_id, visit_type, status, exceptions, last_updated,
                                       contact_email, source_id)
        select prison.id, t, s, e, '2026-07-01 12:00Z', 'visits@example.org', source.id
        from source, prison
        join (values ('HID-1', 'VIDEO', 'OPEN', null), ('HID-2', 'IN_PERSON', 'CLOSED', 'A fire.'),
                     ('HID-2', 'VIDEO', 'OPEN', null), ('HID-3', 'NON_CONTACT', 'LIMITED', null),
                     ('HID-4', 'FAMILY_OVERNIGHT', 'UNKNOWN', null)) v (c, t, s, e) on c = code
    ), days as (
        insert into schedule_exceptions (id, institution_id, visitor_center_id, visit_type,
                                         starts_on, ends_on, closed, opens_at, closes_at, reason,
                                         source_id)
        select gen_random_uuid(), id, null::uuid, 'VIDEO', date '2100-01-01', date '2100-01-01',
               true, null::time, null::time, 'New year', (select id from source)
        from prison where code = 'HID-2'
        union all
        select gen_random_uuid(), id, null, 'IN_PERSON', '2001-01-01', '2001-01-02', true, null,
               null, 'Long ago', (select id from source)
        from prison where code = 'HID-2'
        union all
        select gen_random_uuid(), null, id, null, '2100-01-01', '2100-01-02', false, '09:00',
               '10:00', null, source_id from center
    ), phone as (
        insert into phones (id, number, kind, location_id, source_id)
        select gen_random_uuid(), '+19165550199', 'TTY', place.id, source.id from source, place
    )
    insert into program_offerings (id, program_id, institution_id, status, yards, capacity,
                                   evidence, ended_on, source_id)
    select gen_random_uuid(), (select id from programs order by slug limit 1), prison.id, s,
           '{{A,B}}', 20, 'LISTED', e, source.id
    from source, prison
    join (values ('HID-1', 'ENDED', null), ('HID-2', 'UNKNOWN', null),
                 ('HID-3', 'ACTIVE', date '2001-01-01'), ('HID-4', 'ACTIVE', '2100-01-01'))
        v (c, s, e) on c = code
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as copied:
        async with connected(copied) as connection:
            await connection.execute(_AWKWARD)
            await connection.execute(_PRISONS)
            await connection.execute(
                "update services set status = 'TEMPORARILY_CLOSED' where id ="
                " (select id from services order by id limit 1)"
            )
        yield copied


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def folder(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory in both forms, as the role of the public reads it."""
    made = tmp_path_factory.mktemp("hsds")
    for form in (Form.JSON, Form.TABULAR):
        await export(url, made, form, role=role_name("PUBLIC"))
    return made


def objects(folder: Path, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / f"{FILES[name]}.json").read_text())
    return found


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{FILES[name]}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def inside(value: object) -> Iterator[Mapping[str, Any]]:
    """All objects in a value, at whatever depth."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from inside(each)
    elif isinstance(value, list):
        for each in value:
            yield from inside(each)


@pytest.fixture(scope="module")
def validators() -> Mapping[str, Draft202012Validator]:
    schemas = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (name, Resource.from_contents(schema, default_specification=DRAFT202012))
        for name, schema in schemas.items()
    )
    checker = Draft202012Validator.FORMAT_CHECKER
    return {
        name: Draft202012Validator(
            schemas[f"{name}.json"], registry=registry, format_checker=checker
        )
        for name in FILES
    }


@valid_by_schema
@pytest.mark.parametrize("name", NESTED)
def test_what_is_exported_is_valid(
    folder: Path, validators: Mapping[str, Draft202012Validator], name: str
) -> None:
    found = objects(folder, name)
    # Every kind of thing inside, and of the rest one in forty: validating costs more than writing.
    seen: set[str] = set()
    for number, each in enumerate(found):
        shape = {f"{key}:{value}" for part in inside(each) for key, value in _shape(part)}
        if shape - seen or number % 40 == 0:
            seen |= shape
            assert [error.message for error in validators[name].iter_errors(each)] == []
    assert seen


def _shape(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in part.items():
        few = key in ("status", "location_type", "address_type", "freq", "wkst", "type")
        yield key, str(value) if few else type(value).__name__


@valid_by_schema
def test_a_schema_refuses_what_is_not_valid(
    folder: Path, validators: Mapping[str, Draft202012Validator]
) -> None:
    service = objects(folder, "service")[0]
    for wrong in ({"status": "unknown"}, {"id": "1"}, {"phones": [{"id": service["id"]}]}):
        assert list(validators["service"].iter_errors({**service, **wrong})), wrong


@valid_by_schema
@pytest.mark.parametrize("name", FILES)
def test_tables_have_columns_of_hsds_and_all_that_it_requires(folder: Path, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    found = rows(folder, name)
    assert (folder / schema["path"]).is_file()
    assert set(found[0]) <= set(schema["properties"])
    # What is not known of an address is an empty text, which a table cannot tell from nothing.
    required = {*schema["required"], *schema.get("tabular_required", ())} - {"city", "postal_code"}
    assert [row for row in found if any(not row[column] for column in required)] == []
    for column in found[0]:
        words = schema["properties"][column].get("enum")
        assert words is None or {row[column] for row in found} <= {*words, ""}


# Which rows of ours become one of the objects each.
_VISITED = """
    (select institution_id, visit_type from visiting_statuses
     union select institution_id, visit_type from schedules where institution_id is not null) v
"""
_COUNTED = {
    "organization": ("providers", "institutions", "(values ('the department')) d"),
    "service": ("services", _VISITED, "visitor_centers", "program_offerings", "reentry_programs"),
    "program": ("programs", "reentry_programs"),
    "service_at_location": (
        "services_at_locations",
        f"{_VISITED} join institutions i on i.id = institution_id where location_id is not null",
        "visitor_centers c join institutions i on i.id = institution_id"
        " where coalesce(c.location_id, i.location_id) is not null",
        "program_offerings join institutions i on i.id = institution_id"
        " where location_id is not null",
    ),
    "location": ("locations",),
    "phone": ("phones",),
    "cost_option": ("cost_options",),
    "required_document": ("required_documents",),
    "organization_identifier": (
        "institutions",
        "institutions cross join unnest(aliases)",
        "institutions where fema_facility_id is not null",
    ),
    "service_area": (
        "service_areas",
        "reentry_program_counties",
        "reentry_programs where statewide",
    ),
}


async def test_nothing_is_missing(folder: Path, url: str) -> None:
    async with connected(url) as connection:
        for name, counted in _COUNTED.items():
            ours = [await connection.fetchval(f"select count(*) from {each}") for each in counted]
            assert min(ours) > 0, name
            assert len(rows(folder, name)) == sum(ours), name
        categories = await connection.fetchval("select count(*) from service_categories")
        assert len(rows(folder, "attribute")) > categories > 0
    for name in NESTED:
        assert [each["id"] for each in objects(folder, name)] == [
            row["id"] for row in rows(folder, name)
        ]
    services = objects(folder, "service")
    for key, name in [("schedules", "schedule"), ("phones", "phone"), ("languages", "language")]:
        nested = {each["id"] for part in inside(services) for each in part.get(key, ())}
        flat = {row["id"] for row in rows(folder, name) if row.get("service_id")}
        assert flat <= nested


def test_every_id_is_unique_and_leads_somewhere(folder: Path) -> None:
    package = json.loads((folder / "datapackage.json").read_text())
    ids = {
        each["name"]: [row["id"] for row in rows(folder, each["name"])]
        for each in package["resources"]
    }
    assert set(ids) == set(FILES)
    followed = 0
    for resource in package["resources"]:
        found = rows(folder, resource["name"])
        assert [field["name"] for field in resource["schema"]["fields"]] == list(found[0])
        assert len(set(ids[resource["name"]])) == len(found)
        for key in resource["schema"]["foreignKeys"]:
            known = set(ids[key["reference"]["resource"]])
            assert {row[key["fields"]] for row in found} - known <= {""}
            followed += 1
    assert followed >= 10
    for row in rows(folder, "attribute"):
        assert row["link_id"] in ids[row["link_entity"]]
    assert {row["parent_organization_id"] for row in rows(folder, "organization")} <= {
        "",
        *ids["organization"],
    }
    terms = rows(folder, "taxonomy_term")
    assert {row["parent_id"] for row in terms} <= {"", *(row["id"] for row in terms)}


def test_hidden_addresses_are_left_out(folder: Path) -> None:
    for path in folder.iterdir():
        assert STREET not in path.read_text(), path
    # Whose city is public, tells it; who hides it, does not.
    told = {
        part["description"]
        for part in inside(objects(folder, "location"))
        if "not public" in part.get("description", "")
    }
    assert told == {
        "The address is not public; call first.",
        "A van or clinic that moves. The address is not public; call first.",
        f"The street is not public; call first. In {CITY}.",
    }
    mine = [
        each for each in objects(folder, "location") if "not public" in each.get("description", "")
    ]
    assert not any({"latitude", "addresses", "transportation"} & set(each) for each in mine)


async def test_an_unknown_status_is_told(folder: Path, url: str) -> None:
    services = objects(folder, "service")
    unknown = {each["id"] for each in services if "is not known" in each.get("alert", "")}
    assert {each["status"] for each in services if each["id"] in unknown} == {"active"}
    async with connected(url) as connection:
        for table in ("services where status is null", "visitor_centers where status = 'UNKNOWN'"):
            ids = {str(id_) for (id_,) in await connection.fetch(f"select id from {table}")}
            assert ids
            assert ids <= unknown
            # And of no other record of the kind.
            own = await connection.fetch(f"select id from {table.partition(' ')[0]}")
            assert {str(id_) for (id_,) in own} & unknown == ids
    closed = [each for each in services if each["status"] == "temporarily closed"]
    assert {each["name"] for each in closed if "alert" in each} == {"Visiting in person"}
    assert len(closed) == 2


def services_of(folder: Path, organization: str) -> dict[str, dict[str, Any]]:
    """By name."""
    found = {each["name"]: each for each in objects(folder, "organization")}[organization]
    return {
        each["name"]: each
        for each in objects(folder, "service")
        if each.get("organization_id") == found["id"]
    }


def test_visiting_is_a_service_with_its_status(folder: Path) -> None:
    off = services_of(folder, "Hidden Prison 2")
    assert off["Visiting in person"]["status"] == "temporarily closed"
    assert off["Visiting in person"]["alert"] == "As of 2026-07-01, visiting is off. A fire."
    assert off["Visiting in person"]["email"] == "visits@example.org"
    video = off["Visiting by video"]
    assert video["status"] == "active"
    assert video["alert"] == "As of 2026-07-01, visiting is on. Closed on 2100-01-01: New year."
    limited = services_of(folder, "Hidden Prison 3")["Visiting behind glass"]
    assert (limited["status"], limited["alert"]) == (
        "active",
        "As of 2026-07-01, there are fewer visits than usual.",
    )
    unknown = services_of(folder, "Hidden Prison 4")["Family visiting overnight"]
    assert (unknown["status"], unknown["alert"]) == ("active", UNKNOWN_STATUS)


def test_visiting_hours_are_rules_and_holidays_are_words(folder: Path) -> None:
    found = services_of(folder, "San Quentin Rehabilitation Center")["Visiting in person"]
    rules = [each for each in found["schedules"] if "freq" in each]
    assert sorted(
        (each["freq"], each["byday"], each.get("opens_at"), each.get("closes_at")) for each in rules
    ) == [("WEEKLY", "FR", "12:00", None), ("WEEKLY", "SA,SU", "07:30", None)]
    (words,) = [each for each in found["schedules"] if "freq" not in each]
    assert words.keys() <= {"id", "description", "valid_from"}
    assert words["description"].startswith("On visiting holidays: New Year's Day, ")


def test_a_closed_institution_keeps_its_record(folder: Path) -> None:
    found = {each["name"]: each for each in objects(folder, "organization")}
    unit = found["Folsom Women's Facility"]
    assert "The institution is closed since 2023-01." in unit["description"]
    assert unit["parent_organization_id"] == found["Folsom State Prison"]["id"]
    department = found["California Department of Corrections and Rehabilitation"]
    assert found["Folsom State Prison"]["parent_organization_id"] == department["id"]
    closing = found["Hidden Prison 5"]
    assert closing["description"] == "State prison. The institution is to close in 2100-05."
    ended = [
        each
        for each in objects(folder, "service")
        if "is closed since 2024-03" in each.get("alert", "")
    ]
    assert [each["status"] for each in ended] == ["defunct"]
    center = services_of(folder, "Hidden Prison 5")["Center HID-5"]
    assert center["alert"] == (
        "The institution is to close in 2100-05. Ring twice."
        " Open 09:00 to 10:00 from 2100-01-01 to 2100-01-02. " + UNKNOWN_STATUS
    )


async def test_an_offering_leads_to_its_program_and_its_institution(folder: Path, url: str) -> None:
    services = {each["id"]: each for each in objects(folder, "service")}
    seen = set()
    async with connected(url) as connection:
        for id_, status, ended_on, program, location, terms in await connection.fetch(
            "select o.id, o.status, o.ended_on, p.name, i.location_id,"
            " array(select category_code from program_categories c"
            "       where c.program_id = p.id) || p.audience"
            " from program_offerings o join programs p on p.id = o.program_id"
            " join institutions i on i.id = o.institution_id where i.status = 'OPEN'"
        ):
            found = services[str(id_)]
            assert found["name"] == found["program"]["name"] == program
            places = [each["location"]["id"] for each in found.get("service_at_locations", ())]
            assert places == ([str(location)] if location else [])
            assert {each["value"] for each in found.get("attributes", ())} == {*terms}
            over = status == "ENDED" or str(ended_on) < "2026"
            assert found["status"] == ("defunct" if over else "active")
            seen.add((found["status"], found.get("alert")))
    assert seen == {
        ("active", None),
        ("active", UNKNOWN_STATUS),
        ("active", "It ends on 2100-01-01."),
        ("defunct", "It has ended here."),
    }
    assert "In: A, B" in {row["description"] for row in rows(folder, "service_at_location")}


async def test_a_program_is_of_who_runs_it(folder: Path, url: str) -> None:
    programs = {row["id"]: row for row in rows(folder, "program")}
    async with connected(url) as connection:
        for id_, operator, name in await connection.fetch(
            "select id, operator_id, operator_name from programs"
        ):
            found = programs[str(id_)]
            if operator:
                assert found["organization_id"] == str(operator)
            elif name:
                assert f"Run by: {name}." in found["description"]
        for id_, areas in await connection.fetch(
            "select r.id, array(select county_fips from reentry_program_counties c"
            " where c.reentry_program_id = r.id) || case when statewide then array['06'] end"
            " from reentry_programs r"
        ):
            (service,) = [
                each
                for each in objects(folder, "service")
                if each.get("program", {}).get("id") == str(id_)
            ]
            assert {each["uri"] for each in service.get("service_areas", ())} == {*areas}


async def test_a_file_is_there_when_it_is_whole(url: str, tmp_path: Path) -> None:
    old = tmp_path / "services.json"
    old.write_text("[]\n")

    def fail(doing: str, done: int, of: int) -> None:
        if doing == "services":
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await export(url, tmp_path, Form.JSON, progress=fail)
    assert old.read_text() == "[]\n"
    assert sorted(os.listdir(tmp_path)) == ["organizations.json", "services.json"]
    assert len(json.loads((tmp_path / "organizations.json").read_text())) > 5000


async def test_progress_comes_to_its_end(url: str, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    counts = await export(
        url, tmp_path, Form.TABULAR, progress=lambda _, done, of: told.append((done, of))
    )
    assert told == sorted(told)
    assert told[-1] == (sum(counts.values()), sum(counts.values()))
    assert len(told) > 10


def test_the_command_writes_the_same(url: str, folder: Path, tmp_path: Path) -> None:
    said = command("export", "hsds", str(tmp_path / "new"), database_url=url)
    assert said.returncode == 0, said.stderr
    assert " services\n" in said.stdout
    for name in NESTED:
        written = f"{FILES[name]}.json"
        assert (tmp_path / "new" / written).read_bytes() == (folder / written).read_bytes()
    nowhere = command("export", "hsds", str(tmp_path), database_url="postgresql://127.0.0.1:1/x")
    assert nowhere.returncode == 1
    assert nowhere.stderr.startswith("Error: ")


def test_each_object_is_read_by_one_select() -> None:
    assert set(hsds.OBJECTS) < set(STANDARD)
    assert set(hsds.BY_ID) < set(hsds.OBJECTS)
    assert set(hsds.INSIDE) < set(hsds.OBJECTS)


async def test_what_feeds_may_not_change_is_called_as_all_else_is(url: str) -> None:
    async with connected(url) as connection:
        for name, ours in hsds.INSIDE.items():
            called = [
                [each.name for each in (await connection.prepare(select)).get_attributes()]
                for select in (ours, OBJECTS[name])
            ]
            assert called[0] == called[1], name
