"""Imports of HSDS: nothing is lost, nothing is half done, and nobody's word is overwritten."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from db.data.exchange.feeds import take_feed
from db.data.exchange.runs import Run
from db.data.exchange.standard import FILES, entity_called
from db.data.exchange.tables import typed
from db.data.hsds import Form, export
from db.data.report import LoadError
from db.database import Database
from db.migrate import migrate
from db.roles import prepare, role_name
from resolvers.resolve import GraphQLRequest, resolve
from schema.audiences import reaches
from schema.roles import Role
from tests.db.scratch import connected, everything, scratch
from tests.roads import audiences
from tests.serving import ROOT, command

# Not ours to copy; whoever has it beside the project checks what we do with it.
EXAMPLES = ROOT.parent / "shared" / "data" / "hsds-examples"
NESTED = sorted(
    path
    for folder in ("hsds-3.0-examples", "hsds-3.1-examples", "oruk-3.0-examples", "mock-hsds-api")
    for path in (EXAMPLES / folder).rglob("*.json")
    if path.name not in ("base.json", "root.json", "tabular.json", "datapackage.json")
)
TABULAR = ("hsds-3.0-examples", "hsds-3.1-examples", "oruk-3.0-examples")
with_examples = pytest.mark.skipif(
    not EXAMPLES.is_dir(),
    reason=f"NO HSDS EXAMPLES in {EXAMPLES}: whether imports lose anything was NOT tested",
)

ORGANIZATION, SERVICE, PLACE = (str(UUID(int=number)) for number in (1, 2, 3))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def empty() -> AsyncIterator[str]:
    """A directory that knows nothing yet."""
    async with scratch() as url:
        await migrate(url)
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def untouched(empty: str) -> AsyncIterator[str]:
    """One for all files of which nothing is taken."""
    async with scratch(empty) as copied:
        yield copied


NEWEST = "from import_runs order by started_at desc, id limit 1"


@pytest_asyncio.fixture
async def url(empty: str) -> AsyncIterator[str]:
    async with scratch(empty) as copied:
        yield copied


def ordered(value: object) -> object:
    """A value whose lists are in an order that does not depend on where it comes from."""
    if isinstance(value, dict):
        return {key: ordered(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted((ordered(each) for each in value), key=lambda each: json.dumps(each))
    return value


def written(tmp_path: Path, said: object, name: str = "organizations.json") -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(said))
    return path


def organization(**more: object) -> dict[str, Any]:
    """An organization with a service at a place."""
    place = {
        "id": PLACE,
        "location_type": "physical",
        "latitude": 37.7749,
        "longitude": -122.4194,
        "addresses": [
            {
                "id": str(UUID(int=4)),
                "address_1": "1 Main Street",
                "city": "San Francisco",
                "state_province": "CA",
                "postal_code": "94103",
                "country": "US",
                "address_type": "physical",
            }
        ],
    }
    service = {
        "id": SERVICE,
        "name": "Counseling",
        "status": "active",
        "last_modified": "2026-05-01T00:00:00Z",
        "phones": [{"id": str(UUID(int=5)), "number": "(415) 555-2671", "extension": 42}],
        "schedules": [
            {
                "id": str(UUID(int=6)),
                "freq": "WEEKLY",
                "byday": "MO,TU",
                "opens_at": "09:00",
                "closes_at": "17:00",
            }
        ],
        "languages": [{"id": str(UUID(int=7)), "code": "es", "note": "on Mondays"}],
        "contacts": [{"id": str(UUID(int=8)), "name": "Ann"}],
        "service_at_locations": [{"id": str(UUID(int=9)), "location": place}],
    }
    return {
        "id": ORGANIZATION,
        "name": "Example",
        "description": "Helps.",
        "website": "https://example.org",
        "services": [service],
        **more,
    }


async def value(url: str, sql: str, *arguments: object) -> Any:
    async with connected(url) as connection:
        return await connection.fetchval(sql, *arguments)


async def exported(url: str, folder: Path, form: Form = Form.FULL) -> Path:
    await export(url, made(folder), form)
    return folder


def made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def objects(folder: Path, entity: str) -> dict[str, Any]:
    return {each["id"]: each for each in read(folder / f"{FILES[entity]}.json")}


def table(path: Path) -> dict[str, dict[str, Any]]:
    with path.open(newline="") as file:
        return {row["id"]: typed(row) for row in csv.DictReader(file)}


# Nothing is lost


@with_examples
@pytest.mark.parametrize("path", NESTED, ids=lambda path: "/".join(path.parts[-3:]))
async def test_an_official_example_comes_out_as_it_went_in(
    url: str, tmp_path: Path, path: Path
) -> None:
    entity = entity_called(path.name) or entity_called(path.parent.name)
    assert entity is not None
    copied = tmp_path / f"{FILES[entity]}.json"
    shutil.copy(path, copied)
    await take_feed(url, copied)
    found = objects(await exported(url, tmp_path / "out"), entity)
    said = read(path)
    listed = said.get("contents", [said])
    assert listed
    for each in listed:
        assert ordered(found[each["id"]]) == ordered(each)
    if path.parent.name != "hsds-3.1-examples":
        return
    before = await everything(url)
    again = await take_feed(url, copied)
    assert (again.inserted, again.changed) == (0, 0)
    assert {**before, "import_runs": "", "import_rejections": ""} == {
        **await everything(url),
        "import_runs": "",
        "import_rejections": "",
    }


@with_examples
@pytest.mark.parametrize("name", TABULAR)
async def test_official_tables_come_out_as_they_went_in(
    url: str, tmp_path: Path, name: str
) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    shutil.copy(EXAMPLES / "hsds-3.1-schema" / "datapackage.json", feed)
    listed = read(feed / "datapackage.json")["resources"]
    paths = [EXAMPLES / name / "csv" / each["path"] for each in listed]
    for path in paths:
        if path.exists():
            shutil.copy(path, feed)
    await take_feed(url, feed)
    out = await exported(url, tmp_path / "out", Form.TABULAR)
    seen = 0
    for path in sorted(feed.glob("*.csv")):
        entity = entity_called(path.name)
        assert entity is not None
        said, found = table(path), table(out / f"{FILES[entity]}.csv")
        assert {key: found.get(key) for key in said} == said
        # Our own kinds of help are always there.
        assert entity.startswith("taxonomy") or found.keys() == said.keys()
        seen += len(said)
    assert seen >= 15


@with_examples
async def test_tables_in_one_object_are_tables(url: str, tmp_path: Path) -> None:
    path = EXAMPLES / "hsds-3.1-examples" / "tabular.json"
    await take_feed(url, path)
    out = await exported(url, tmp_path / "out", Form.TABULAR)
    for name, listed in read(path).items():
        entity = entity_called(name)
        assert entity is not None
        found = table(out / f"{FILES[entity]}.csv")
        for each in listed:
            # A table has texts only.
            kept = {key: str(value) for key, value in each.items() if value not in (None, "")}
            assert {key: str(cell) for key, cell in found[each["id"]].items()} == kept


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ours(
    loaded_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Path]]:
    """A part of the directory, with some of all, and what it exports."""
    folder = tmp_path_factory.mktemp("ours")
    async with scratch(loaded_url) as copied:
        async with connected(copied) as connection:
            await connection.execute(_FEW)
        for form in (Form.JSON, Form.TABULAR):
            (folder / form).mkdir()
            await export(copied, folder / form, form)
        yield copied, folder


# Of five thousand providers those that have something special, and some that have not. What goes
# has nothing left that points to it, so that nobody need look.
_FEW = """
    set session_replication_role = replica;
    create temp table kept as
        (select provider_id from services where hours_text is not null limit 60) union
        (select provider_id from services where audience is not null limit 60) union
        (select s.provider_id from service_areas a join services s on s.id = a.service_id) union
        (select p.id from providers p join locations l on l.id = p.location_id
         where l.address_visibility <> 'PUBLIC') union
        (select id from providers order by id limit 100);
    insert into kept select operator_id from visitor_centers where operator_id is not null;
    insert into kept select operator_id from programs where operator_id is not null;
    create temp table gone as
        select id from services where provider_id not in (select provider_id from kept);
    delete from service_areas where service_id in (select id from gone);
    delete from phones where service_id in (select id from gone)
        or provider_id not in (select provider_id from kept);
    delete from schedules where service_id in (select id from gone);
    delete from cost_options where service_id in (select id from gone);
    delete from services_at_locations where service_id in (select id from gone);
    delete from service_categories where service_id in (select id from gone);
    delete from translations where service_id in (select id from gone);
    delete from services where id in (select id from gone);
    delete from providers where id not in (select provider_id from kept)
"""


@pytest.mark.parametrize("form", [Form.JSON, Form.TABULAR])
async def test_our_own_export_comes_out_as_it_went_in(
    url: str, ours: tuple[str, Path], tmp_path: Path, form: Form
) -> None:
    _, folder = ours
    folder = folder / form
    order = ("organization", "location", "service", "taxonomy", "taxonomy_term")
    files = [folder / f"{FILES[entity]}.json" for entity in order]
    for path in files if form is Form.JSON else [folder]:
        run = await take_feed(url, path, source="OURS")
        assert (run.rejected, run.conflicting) == (0, 0)
    out = await exported(url, tmp_path / "out", form)
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in out.iterdir()}
    for path in folder.glob("*.json" if form is Form.JSON else "*.csv"):
        assert path.stat().st_size > 20
        if form is Form.JSON:
            assert ordered(read(out / path.name)) == ordered(read(path))
        else:
            assert table(out / path.name) == table(path)
    services = table(ours[1] / Form.TABULAR / "services.csv")
    # The standard's "active" is not taken for what nobody knows.
    unknown = {key for key, row in services.items() if "is not known" in row.get("alert", "")}
    async with connected(url) as connection:
        for id_, status in await connection.fetch("select id, status from services"):
            assert (status is None) is (str(id_) in unknown), id_
            services.pop(str(id_))
        assert not services
        # Where nobody knows of prisons, they are organizations as others are.
        assert await connection.fetchval("select count(*) from institutions") == 0
        prisons = await connection.fetchval(
            "select count(*) from providers where name = 'Folsom State Prison'"
        )
        assert prisons == 1


_OF_THE_RUN = {"import_runs", "import_rejections", "sources", "changes"}


@pytest.mark.parametrize("form", [Form.JSON, Form.TABULAR])
async def test_our_own_export_changes_nothing_where_it_comes_from(
    ours: tuple[str, Path], form: Form
) -> None:
    async with scratch(ours[0]) as copied:
        folder = ours[1] / form
        before = await everything(copied)
        left = 0
        for path in sorted(folder.glob("*.json")) if form is Form.JSON else [folder]:
            run = await take_feed(copied, path)
            assert (run.inserted, run.changed, run.rejected, run.conflicting) == (0, 0, 0, 0)
            left += run.counts.get("prisons and programs", (0, 0, 0))[2]
        assert left > 2000
        after = await everything(copied)
        assert {name for name in before if before[name] != after[name]} <= _OF_THE_RUN


async def test_what_is_said_of_a_prison_is_told_and_not_taken(
    ours: tuple[str, Path], tmp_path: Path
) -> None:
    prisons = objects(ours[1] / Form.JSON, "organization")
    prison = next(each for each in prisons.values() if each["name"] == "Folsom State Prison")
    operator = next(each for each in prisons.values() if each["name"] == "Friends Outside")
    services = objects(ours[1] / Form.JSON, "service")
    center = next(each for each in services.values() if "Avenal" in each["name"])
    offering = next(each for each in services.values() if each["name"] == "Academic Education")
    prison |= {
        "name": "Another Prison",
        "website": "https://example.org",
        "contacts": [{"id": str(uuid4()), "name": "Ann", "phones": [{"id": str(uuid4())}]}],
    }
    new = str(uuid4())
    prison["phones"].append({"id": new, "number": "+19165550123"})
    prison["services"] = [{"id": str(uuid4()), "name": "Breakfast", "status": "active"}]
    center |= {"status": "defunct"}
    center["service_at_locations"][0]["location"] |= {"latitude": 1.0, "longitude": 1.0}
    center["schedules"][0] |= {"description": "Never"}
    operator["services"] = [center]
    offering["program"] |= {"description": "Of no use."}
    operator |= {"alternate_name": "FO"}
    path = written(tmp_path, [prison, operator])
    async with scratch(ours[0]) as copied:
        before = await everything(copied)
        run = await take_feed(copied, path, source="FEED")
        again = await take_feed(copied, written(tmp_path, [offering], "services.json"))
        # What is said beside that of others is taken.
        beside = "select site_name from providers where name = 'Friends Outside'"
        assert await value(copied, beside) == "FO"
        assert await value(copied, "select array_agg(key) from hsds_remainders") == [
            UUID(operator["id"])
        ]
        after = await everything(copied)
        assert {name for name in before if before[name] != after[name]} <= {
            *_OF_THE_RUN,
            "hsds_remainders",
            "imports",
            "providers",
            "search_changes",
            "search_documents",
            "search_lexemes",
        }
        assert {(each.entity, each.field) for each in run.problems} == {
            ("organization", "name"),
            ("organization", "website"),
            ("contact", None),
            ("phone", None),
            ("service", None),
            ("service", "status"),
            ("location", "latitude"),
            ("location", "longitude"),
            ("schedule", "description"),
        }
        told = {each.reason for each in (*run.problems, *again.problems)}
        assert told == {"CONFLICT"}
        assert [(each.entity, each.field) for each in again.problems] == [
            ("program", "description")
        ]
        assert (run.conflicting, again.conflicting) == (8, 1)
        out = objects(await exported(copied, tmp_path / "out", Form.JSON), "organization")
        assert out[prison["id"]]["name"] == "Folsom State Prison"
        assert "contacts" not in out[prison["id"]]


# What becomes of what


async def test_what_is_imported_is_in_the_directory(url: str, tmp_path: Path) -> None:
    run = await take_feed(url, written(tmp_path, [organization()]), source="FEED")
    assert (run.rejected, run.rejections, run.state) == (0, 0, "APPLIED")
    async with connected(url) as connection:
        provider = await connection.fetchrow("select * from providers")
        assert str(provider["id"]) == ORGANIZATION
        assert (provider["name"], provider["website"]) == ("Example", "https://example.org")
        service = await connection.fetchrow("select * from services")
        assert (service["status"], service["languages"]) == ("ACTIVE", ["es"])
        assert service["provider_id"] == provider["id"]
        place = await connection.fetchrow("select * from locations")
        assert (place["public_street"], place["public_zip"]) == ("1 Main Street", "94103")
        phone = await connection.fetchrow("select * from phones")
        assert (phone["number"], phone["extension"]) == ("+14155552671", "42")
        schedule = await connection.fetchrow("select * from schedules")
        assert (schedule["byday"], schedule["weekly"]) == ("MO,TU", True)
        assert await connection.fetchval("select note from language_notes") == "on Mondays"
        assert await connection.fetchval("select count(*) from services_at_locations") == 1
        keys = await connection.fetch(
            "select distinct s.key from providers p join sources s on s.id = p.source_id"
        )
        assert [key for (key,) in keys] == ["FEED"]
        actors = await connection.fetch("select distinct actor, role from changes")
        assert [tuple(row) for row in actors] == [("import:organizations.json", None)]
        kept = await connection.fetchval(
            "select said ->> 'name' from hsds_remainders where entity = 'contact'"
        )
        assert kept == "Ann"


async def test_ids_that_are_none_of_ours_are_the_same_each_time(url: str, tmp_path: Path) -> None:
    said = organization(id="org-1")
    for service in said["services"]:
        service["id"] = "7"
    path = written(tmp_path, said)
    await take_feed(url, path)
    again = await take_feed(url, path)
    assert (again.inserted, again.changed) == (0, 0)
    (found,) = objects(await exported(url, tmp_path / "out"), "organization").values()
    assert ordered(found) == ordered(said)


async def test_what_changed_here_since_counts_for_more(url: str, tmp_path: Path) -> None:
    said = organization(email="us@example.org")
    await take_feed(url, written(tmp_path, said))
    async with connected(url) as connection:
        await connection.execute("update phones set number = '+14155550000'")
        await connection.execute("update providers set name = 'Renamed'")
        await connection.execute("update services set languages = '{vi}'")
    (found,) = objects(await exported(url, tmp_path / "out"), "organization").values()
    assert (found["name"], found["email"]) == ("Renamed", "us@example.org")
    (service,) = found["services"]
    assert [phone["number"] for phone in service["phones"]] == ["+14155550000"]
    assert [each["code"] for each in service["languages"]] == ["vi"]


async def test_what_a_new_feed_says_is_changed_and_nothing_else(url: str, tmp_path: Path) -> None:
    await take_feed(url, written(tmp_path, organization()))
    said = organization(name="Example Inc.")
    del said["website"]  # what is not said is not denied
    run = await take_feed(url, written(tmp_path, said))
    assert (run.inserted, run.counts["providers"]) == (0, (0, 1, 0))
    assert run.counts["services"] == (0, 0, 1)
    names = await value(url, "select name || ' ' || website from providers")
    assert names == "Example Inc. https://example.org"


@pytest.mark.parametrize("word", ["HIDDEN", "CITY_ONLY"])
async def test_a_hidden_address_stays_hidden(url: str, tmp_path: Path, word: str) -> None:
    said = organization()
    place = said["services"][0]["service_at_locations"][0]["location"]
    place["description"] = "At 1 Main Street, behind the church."
    place["attributes"] = [
        {"id": str(UUID(int=20)), "link_type": "place", "link_entity": "location", "value": word}
    ]
    place["addresses"].append({**place["addresses"][0], "id": str(UUID(int=21))})
    await take_feed(url, written(tmp_path, said))
    assert await value(url, "select address_visibility from locations") == word
    assert await value(url, "select street from locations") == "1 Main Street"
    for form in Form:
        for path in (await exported(url, tmp_path / form, form)).iterdir():
            assert "Main Street" not in path.read_text(), path


async def test_what_staff_hides_is_not_exported_any_more(url: str, tmp_path: Path) -> None:
    await migrate(url)
    await take_feed(url, written(tmp_path, organization()))
    async with connected(url) as connection:
        await connection.execute("update locations set address_visibility = 'HIDDEN'")
    # Nor does the next feed, which does not know it, tell it again.
    await take_feed(url, written(tmp_path, organization(email="us@example.org")))
    for path in (await exported(url, tmp_path / "out")).iterdir():
        assert "Main Street" not in path.read_text(), path


# Whose word counts


@pytest.mark.parametrize(
    ("role", "at", "conflicts"),
    [
        ("STAFF", "2026-05-02", True),
        ("PARTNER", "2026-05-02", True),
        ("ADMIN", "2026-05-02", True),
        ("STAFF", "2026-04-30", False),
        ("PUBLIC", "2026-05-02", False),
        ("", "2026-05-02", False),
    ],
)
async def test_what_people_changed_since_is_left_as_it_is(
    url: str, tmp_path: Path, role: str, at: str, conflicts: bool
) -> None:
    await take_feed(url, written(tmp_path, organization()))
    async with connected(url) as connection, connection.transaction():
        await connection.execute("select set_config('directory.role', $1, true)", role)
        await connection.execute("update services set name = 'What staff says'")
        await connection.execute("alter table changes disable trigger append_only")
        await connection.execute(
            "update changes set at = $1::text::timestamptz where entity = 'services'", at
        )
        await connection.execute("alter table changes enable trigger append_only")
    said = organization()
    said["services"][0]["name"] = "What the feed says"
    run = await take_feed(url, written(tmp_path, said))
    told = await rejections(url, run)
    if conflicts:
        assert run.conflicting == 1
        assert [row["reason"] for row in told] == ["CONFLICT"]
        assert (told[0]["field"], told[0]["value"]) == ("name", "What the feed says")
        steps = await value(url, "select steps from proposals where origin = 'FEED'")
        said_now = json.loads(steps)["steps"][0]["values"]["name"]["value"]
        assert said_now == "What the feed says"
    else:
        assert (run.conflicting, told) == (0, [])
    name = "What staff says" if conflicts else "What the feed says"
    assert await value(url, "select name from services") == name
    (found,) = objects(await exported(url, tmp_path / "out"), "service").values()
    assert found["name"] == name


@pytest.mark.parametrize(
    ("method", "at", "conflicts"),
    [("PHONE", "2026-05-02", 1), ("PHONE", "2026-04-30", 0), ("IMPORT", "2026-05-02", 0)],
)
async def test_what_people_checked_since_is_left_as_it_is(
    url: str, tmp_path: Path, method: str, at: str, conflicts: int
) -> None:
    await take_feed(url, written(tmp_path, organization()))
    async with connected(url) as connection:
        await connection.execute(
            "insert into verifications (service_id, method, outcome, verified_at)"
            " select id, $1, 'CONFIRMED', $2::text::timestamptz from services",
            method,
            at,
        )
    said = organization()
    said["services"][0]["phones"][0]["number"] = "(415) 555-2672"
    run = await take_feed(url, written(tmp_path, said))
    assert run.conflicting == conflicts
    number = "+14155552671" if conflicts else "+14155552672"
    assert await value(url, "select number from phones") == number


async def rejections(url: str, run: Run) -> list[Mapping[str, Any]]:
    async with connected(url) as connection:
        rows = await connection.fetch(
            "select * from import_rejections where run_id = $1 order by number", run.id
        )
    return [dict(row) for row in rows]


# What is refused


async def test_each_thing_that_is_not_taken_is_told(url: str, tmp_path: Path) -> None:
    said = organization(website="example", services=[])
    service = organization()["services"][0]
    service["status"] = "sometimes"
    service["minimum_age"] = 1000
    service["phones"][0]["number"] = "call us"
    service["schedules"][0]["bymonthday"] = "40"
    place = service["service_at_locations"][0]["location"]
    place["latitude"] = 100
    place["addresses"][0]["postal_code"] = "ABC"
    nameless = {"id": str(uuid4()), "status": "active", "phones": [{"id": str(uuid4())}]}
    said["services"] = [service, nameless, "no object"]
    run = await take_feed(url, written(tmp_path, [said]))
    told = {(row["entity"], row["field"], row["reason"]) for row in await rejections(url, run)}
    assert told == {
        ("organization", "website", "INVALID"),
        ("service", "status", "INVALID"),
        ("service", "minimum_age", "INVALID"),
        ("phone", "number", "INVALID"),
        ("schedule", "bymonthday", "INVALID"),
        ("location", "latitude", "INVALID"),
        ("address", "postal_code", "INVALID"),
        ("service", "name", "MISSING"),
        ("service", None, "INVALID"),
    } | {("phone", "number", "INVALID")}
    place_told = {row["place"] for row in await rejections(url, run)}
    assert "organizations.json:1: [0] services[0].phones[0]" in place_told
    assert await value(url, "select count(*) from services") == 1
    # All that was said of what was taken is kept, and nothing of what was not.
    (found,) = objects(await exported(url, tmp_path / "out"), "organization").values()
    said["services"] = [service]
    assert ordered(found) == ordered(said)


_HUGE = '{"id": "1", "name": "' + "x" * 10_000_000 + '"}'
_DEEP = '{"id": "1", "name": ' + "[" * 10_000 + "]" * 10_000 + "}"
_BAD = {
    "empty": (b"", "is empty"),
    "blank": (b" \n \n", "is empty"),
    "no records": (b"[]", "holds no record"),
    "no JSON": (b"id,name\n1,a\n", "is no JSON"),
    "cut off": (b'[{"id": "1", "name": "a"', "ends within an object"),
    "list cut off": (b'[{"id": "1", "name": "a"}', "ends within its list"),
    "not UTF-8": ('{"id": "1", "name": "Niño"}'.encode("latin-1"), "is not UTF-8"),
    "UTF-16": ('{"id": "1"}'.encode("utf-16"), "is no JSON"),
    "NUL byte": (b'{"id": "1", "name": "a"}\n\0{"id": "2"}', "a NUL byte"),
    "deep": (_DEEP.encode(), "is nested more than 40 deep"),
    "numbers": (b"[1, 2]", "where an object begins"),
    "twice": (b'{"id": "1", "id": "2", "name": "a"}', "'id' is there twice"),
    "not a number": (b'{"id": "1", "name": "a", "year_incorporated": NaN}', "NaN is no number"),
    "goes on": (b'[{"id": "1", "name": "a"}] x', "goes on after its list"),
}


@pytest.mark.parametrize("case", _BAD)
async def test_a_file_that_cannot_be_trusted_changes_nothing(
    untouched: str, tmp_path: Path, case: str
) -> None:
    content, message = _BAD[case]
    path = tmp_path / "organizations.json"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=message):
        await take_feed(untouched, path)
    state, error = await value(untouched, f"select array[state, error] {NEWEST}")
    assert state == "FAILED"
    assert message in error
    for name in ("providers", "import_rows", "hsds_remainders", "changes", "sources"):
        assert await value(untouched, f"select count(*) from {name}") == 0


async def test_what_is_only_partly_bad_is_taken_in_part(url: str, tmp_path: Path) -> None:
    lines = [
        b"\xef\xbb\xbf" + json.dumps(organization()).encode(),
        b'{"id": "2", "name": "NUL \\u0000 in it"}',
        b'{"id": "3", "name": "half a sign \\ud800"}',
        b'{"name": "no id"}',
        b'{"id": "5"}',
        b'{"id": {"a": 1}, "name": "an object"}',
        json.dumps({**organization(), "name": "Another"}).encode(),
        _HUGE.encode(),
    ]
    path = tmp_path / "organizations.ndjson"
    path.write_bytes(b"\n".join(lines))
    run = await take_feed(url, path)
    told = [(row["place"], row["field"], row["reason"]) for row in await rejections(url, run)]
    assert told == [
        ("organizations.ndjson:2", "name", "INVALID"),
        ("organizations.ndjson:3", "name", "INVALID"),
        ("organizations.ndjson:4", "id", "MISSING"),
        ("organizations.ndjson:6", "id", "INVALID"),
        ("organizations.ndjson:7", "name", "DUPLICATE"),
        ("organizations.ndjson:8", "name", "INVALID"),
        ("organizations.ndjson:5", "name", "MISSING"),
    ]
    assert (run.rows_read, run.rejected) == (8, 7)
    assert await value(url, "select string_agg(name, '') from providers") == "Example"


async def test_what_leads_to_nothing_is_told(url: str, tmp_path: Path) -> None:
    nowhere = str(uuid4())
    phone = {"id": str(uuid4()), "number": "+14155552671"}
    lost = {"id": str(uuid4()), "organization_id": nowhere, "name": "Lost", "status": "active"}
    said = [
        {**lost, "phones": [phone]},
        {"id": str(uuid4()), "name": "Nobody's", "status": "active"},
    ]
    run = await take_feed(url, written(tmp_path, said, "services.json"))
    told = [
        (row["field"], row["value"], row["reason"], row["row_kept"])
        for row in await rejections(url, run)
    ]
    assert told == [
        ("organization_id", nowhere, "UNKNOWN_REFERENCE", False),
        ("organization_id", None, "MISSING", False),
        ("service_id", lost["id"], "UNKNOWN_REFERENCE", False),
    ]
    assert await value(url, "select count(*) from services") == 0
    assert await value(url, "select count(*) from hsds_remainders") == 0


async def test_what_a_rule_of_the_directory_forbids_is_told(url: str, tmp_path: Path) -> None:
    said = organization()
    areas = [{"id": str(uuid4()), "name": "California", "uri": "06"} for _ in range(3)]
    said["services"][0]["service_areas"] = areas
    run = await take_feed(url, written(tmp_path, said))
    told = await rejections(url, run)
    assert {(row["entity"], row["reason"]) for row in told} == {("service_area", "CONSTRAINT")}
    assert (len(told), run.counts["service_areas"]) == (2, (1, 0, 0))
    # What the directory does not take is said by its export all the same.
    (found,) = objects(await exported(url, tmp_path / "out"), "organization").values()
    assert ordered(found) == ordered(said)


async def test_what_a_feed_changes_is_from_that_feed(url: str, tmp_path: Path) -> None:
    await take_feed(url, written(tmp_path, organization()), source="FIRST")
    said = organization(name="Renamed", metadata=[{"id": str(uuid4()), **_CHANGED}])
    await take_feed(url, written(tmp_path, said), source="SECOND")
    async with connected(url) as connection:
        rows = await connection.fetch(
            "select s.key, p.source_date::text from providers p join sources s on s.id = source_id"
            " union all select s.key, v.source_date::text from services v"
            " join sources s on s.id = source_id"
        )
    assert [tuple(row) for row in rows] == [("SECOND", "2026-06-01"), ("FIRST", "2026-05-01")]


_CHANGED = {
    "resource_type": "organization",
    "last_action_date": "2026-06-01",
    "last_action_type": "update",
    "field_name": "name",
    "previous_value": "Example",
    "replacement_value": "Renamed",
    "updated_by": "Ann",
}


async def test_records_that_are_inside_of_each_other_are_no_danger(
    url: str, tmp_path: Path
) -> None:
    feed = package(
        tmp_path,
        organization=f"id,name,description,parent_organization_id\n{ORGANIZATION},A,B,{PLACE}\n"
        f"{PLACE},C,D,{ORGANIZATION}\n",
        contact=f"id,organization_id,contact_id\n{SERVICE},{ORGANIZATION},{SERVICE}\n",
        phone=f"id,contact_id,number\n{SERVICE},{SERVICE},555\n",
    )
    await take_feed(url, feed)
    found = objects(await exported(url, tmp_path / "out"), "organization")
    assert found[ORGANIZATION]["parent_organization_id"] == PLACE
    assert found[ORGANIZATION]["contacts"][0]["phones"][0]["number"] == "555"


def package(folder: Path, **tables: str) -> Path:
    """A tabular data package with these tables."""
    made = folder / "package"
    made.mkdir(exist_ok=True)
    resources = [{"name": name, "path": f"{FILES[name]}.csv"} for name in tables]
    (made / "datapackage.json").write_text(json.dumps({"resources": resources}))
    for name, text in tables.items():
        (made / f"{FILES[name]}.csv").write_text(text)
    return made


_TABLE = f"id,name,description\n{ORGANIZATION},Example,Helps.\n"
_BAD_TABLES: Mapping[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "delimiter": (_TABLE.replace(",", ";"), "parted by ';'"),
    "columns": (f"{_TABLE}{PLACE},x\n", "2 cells, 3 columns"),
    "twice": (_TABLE.replace("description", "name"), "'name' is there twice"),
    "quote": (f'{_TABLE}{PLACE},"x\n', "unexpected end of data"),
    "huge": (f"{_TABLE}{PLACE},{'x' * 10_000_000},y\n", "field larger than field limit"),
    "NUL": (f"{_TABLE}{PLACE},\0,y\n", "a NUL byte"),
    "not UTF-8": (_TABLE.encode() + f"{PLACE},Niño,y\n".encode("latin-1"), ":3: is not UTF-8"),
}


@pytest.mark.parametrize("case", _BAD_TABLES)
async def test_tables_that_cannot_be_trusted_change_nothing(
    untouched: str, tmp_path: Path, case: str
) -> None:
    content, message = _BAD_TABLES[case]
    feed = package(tmp_path, organization="")
    data = content if isinstance(content, bytes) else content.encode()
    (feed / "organizations.csv").write_bytes(data)
    with pytest.raises(LoadError) as refused:
        await take_feed(untouched, feed)
    assert message in str(refused.value)
    assert await value(untouched, f"select state {NEWEST}") == "FAILED"
    assert await value(untouched, "select count(*) from providers") == 0


@pytest.mark.parametrize(
    ("descriptor", "message"),
    [
        (None, "has no datapackage.json"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("{}", "names no resources"),
        ('{"resources": [{"name": "organization", "path": "../o.csv"}]}', "leads out"),
        ('{"resources": [{"name": "organization", "path": "/etc/passwd"}]}', "leads out"),
        ('{"resources": [{"name": "organization", "path": "link.csv"}]}', "leads out"),
        ('{"resources": [{"name": "organization", "path": "no.csv"}]}', "names no file"),
        ('{"resources": [{"name": "people", "path": "people.csv"}]}', "no object of HSDS 3"),
        ('{"resources": [{"name": 1, "path": 2}]}', "are texts"),
    ],
)
async def test_a_folder_that_is_no_package_changes_nothing(
    untouched: str, tmp_path: Path, descriptor: str | None, message: str
) -> None:
    feed = tmp_path / "feed"
    feed.mkdir()
    outside = tmp_path / "outside.csv"
    outside.write_text(_TABLE)
    (feed / "link.csv").symlink_to(outside)
    if descriptor is not None:
        (feed / "datapackage.json").write_text(descriptor)
    with pytest.raises(LoadError, match=message):
        await take_feed(untouched, feed)
    assert await value(untouched, "select count(*) from providers") == 0


async def test_a_zip_is_a_folder(url: str, tmp_path: Path) -> None:
    feed = package(tmp_path, organization=_TABLE)
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as made:
        for each in feed.iterdir():
            made.write(each, f"inner/{each.name}")
    run = await take_feed(url, path)
    assert run.counts["providers"] == (1, 0, 0)


@pytest.mark.parametrize("name", ["../organizations.csv", "/organizations.csv", "a\\..\\..\\b.csv"])
async def test_a_zip_that_leads_out_of_itself_is_refused(
    untouched: str, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("datapackage.json", '{"resources": []}')
        made.writestr(name, _TABLE)
    with pytest.raises(LoadError, match="leads out of the folder"):
        await take_feed(untouched, path)
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(LoadError, match="is no zip"):
        await take_feed(untouched, path)


# The command


async def test_a_dry_run_tells_all_and_changes_nothing(url: str, tmp_path: Path) -> None:
    said = organization(website="example")
    path = written(tmp_path, said)
    before = await everything(url)
    run = await take_feed(url, path, dry_run=True)
    assert (run.state, run.counts["providers"], run.rejections) == ("CHECKED", (1, 0, 0), 1)
    after = await everything(url)
    assert {name for name in before if before[name] != after[name]} == {
        "import_runs",
        "import_rejections",
    }
    assert [row["field"] for row in await rejections(url, run)] == ["website"]
    # The same then does what it said.
    done = await take_feed(url, path)
    assert (done.state, done.counts) == ("APPLIED", run.counts)


async def test_the_command_tells_what_it_did(url: str, tmp_path: Path) -> None:
    path = written(tmp_path, organization(website="example"))
    errors = tmp_path / "errors.csv"
    said = command("import", "hsds", str(path), "--errors", str(errors), database_url=url)
    assert said.returncode == 0, said.stderr
    assert "organization.website = 'example': is no web address" in said.stderr
    assert "1 rows read, 9 records found in them, 0 rejected, 0 in conflict" in said.stdout
    (row,) = csv.DictReader(errors.read_text().splitlines())
    assert (row["field"], row["value"], row["rowKept"]) == ("website", "example", "true")
    path.write_text("nothing")
    refused = command("import", "hsds", str(path), database_url=url)
    assert refused.returncode == 1
    assert refused.stderr.endswith("is no JSON\n")
    assert refused.stderr.splitlines()[-1].startswith("Error: organizations.json:1: ")


async def test_staff_asks_for_imports_that_failed(url: str, tmp_path: Path) -> None:
    await prepare(url, reaches(audiences()))
    with pytest.raises(LoadError):
        await take_feed(url, written(tmp_path, "nothing", "failed.json"))
    await take_feed(url, written(tmp_path, organization(website="example")))
    text = """{
        failed: importRuns(filter: { state: { eq: FAILED } }) { nodes { file state error actor } }
        importRuns(filter: { state: { eq: APPLIED } }) {
            nodes {
                kind about rowsRead rowsStaged
                source { key }
                rejections(first: 5) { nodes { place entity field value reason rowKept } }
            }
        }
    }"""
    database = await Database.open(url, role=role_name("STAFF"))
    answer = await resolve(audiences().graph(Role.STAFF), database, GraphQLRequest(text))
    await database.close()
    data = json.loads(answer.body)["data"]
    (failed,) = data["failed"]["nodes"]
    assert failed == {
        "file": "failed.json",
        "state": "FAILED",
        "error": "failed.json:1: begins neither with [ nor with {: is no JSON",
        "actor": "import:failed.json",
    }
    (run,) = data["importRuns"]["nodes"]
    assert run == {
        "kind": "HSDS",
        "about": "HSDS-organizations",
        "rowsRead": 1,
        "rowsStaged": 9,
        "source": {"key": "HSDS-organizations"},
        "rejections": {
            "nodes": [
                {
                    "place": "organizations.json:1",
                    "entity": "organization",
                    "field": "website",
                    "value": "example",
                    "reason": "INVALID",
                    "rowKept": True,
                }
            ]
        },
    }
    for role in (Role.PUBLIC, Role.PARTNER):
        assert "ImportRun" not in audiences().graph(role).entities


async def test_the_public_cannot_read_what_is_kept(url: str, tmp_path: Path) -> None:
    await take_feed(url, written(tmp_path, organization()))
    await prepare(url, reaches(audiences()))
    said = command("export", "hsds", str(tmp_path / "out"), database_url=url)
    assert said.returncode == 0, said.stderr
    assert "Ann" in (tmp_path / "out" / "services.json").read_text()
    async with connected(url) as connection:
        await connection.execute(f"set role {role_name('PUBLIC')}")
        for name in ("hsds_remainders", "import_runs", "import_rejections", "import_rows"):
            assert not await connection.fetchval(
                "select has_table_privilege(current_user, $1, 'select')", name
            )
