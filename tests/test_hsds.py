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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as copied:
        async with connected(copied) as connection:
            await connection.execute(_AWKWARD)
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


async def test_nothing_is_missing(folder: Path, url: str) -> None:
    async with connected(url) as connection:
        for name, table in [
            ("organization", "providers"),
            ("service", "services"),
            ("service_at_location", "services_at_locations"),
            ("cost_option", "cost_options"),
            ("required_document", "required_documents"),
            ("attribute", "service_categories"),
        ]:
            count = await connection.fetchval(f"select count(*) from {table}")
            assert len(rows(folder, name)) >= count > 0
            if name != "attribute":
                assert len(rows(folder, name)) == count
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


def test_an_unknown_status_is_told(folder: Path) -> None:
    services = objects(folder, "service")
    closed = [each for each in services if each["status"] == "temporarily closed"]
    assert len(closed) == 1
    assert "alert" not in closed[0]
    assert all("is not known" in each["alert"] for each in services if each["status"] == "active")


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
