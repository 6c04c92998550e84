"""Imports of tables: what an export calls a column, an import takes; and nothing by halves."""

from __future__ import annotations

import csv
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from db import api_keys
from db.data.exchange.columns import take_table
from db.data.exchange.runs import Run
from db.data.report import LoadError
from db.migrate import migrate
from resolvers.graph import Graph
from schema.mutation import edited
from schema.sheets import sheet
from tests.db.scratch import connected, everything, scratch, stopped
from tests.roads import the_graph
from tests.serving import Serving, command, serving

PROVIDER = UUID(int=1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def empty() -> AsyncIterator[str]:
    """A directory with one organization, its place and its phone."""
    async with scratch() as url:
        await migrate(url)
        async with connected(url) as connection:
            await connection.execute(
                """
                insert into sources (id, key, name) values (md5('s')::uuid, 'S', 'S');
                insert into counties (fips, name, source_id)
                    values ('06001', 'Alameda', md5('s')::uuid);
                insert into locations (id, street, city, zip, source_id)
                    values ('00000000-0000-0000-0000-000000000002', '1 Main Street', 'Oakland',
                            '94601', md5('s')::uuid);
                insert into providers (id, slug, name, website, languages, location_id, source_id)
                    values ('00000000-0000-0000-0000-000000000001', 'old', 'Old name',
                            'https://example.org', '{en}',
                            '00000000-0000-0000-0000-000000000002', md5('s')::uuid);
                insert into phones (id, number, kind, provider_id, source_id)
                    values ('00000000-0000-0000-0000-000000000003', '+14155552671', 'VOICE',
                            '00000000-0000-0000-0000-000000000001', md5('s')::uuid)
                """
            )
        yield url


@pytest_asyncio.fixture
async def url(empty: str) -> AsyncIterator[str]:
    async with scratch(empty) as copied:
        yield copied


@pytest.fixture(scope="module")
def graph() -> Graph:
    return the_graph()


def write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


async def take(
    url: str, graph: Graph, path: Path, text: str | bytes, name: str = "Provider", **more: Any
) -> Run:
    write(path, text)
    return await take_table(url, path, sheet(graph, name), **more)


async def rows(url: str, sql: str) -> list[Mapping[str, Any]]:
    async with connected(url) as connection:
        return [dict(row) for row in await connection.fetch(sql)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sheet.csv"


async def test_a_row_with_an_id_changes_and_one_without_is_new(
    url: str, graph: Graph, path: Path
) -> None:
    text = (
        "id,name,orgType,website,languages,location.id,county.id\r\n"
        f"Provider:{PROVIDER},New name,NONPROFIT,,en; es,Location:{UUID(int=2)},County:06001\r\n"
        ",Another,,https://example.com,,,\r\n"
    )
    run = await take(url, graph, path, text)
    assert run.counts["providers"] == (1, 1, 0)
    old, new = await rows(
        url,
        "select p.*, s.key as source from providers p"
        " join sources s on s.id = p.source_id order by slug = 'old' desc",
    )
    assert (old["name"], old["org_type"], old["website"]) == ("New name", "NONPROFIT", None)
    assert (old["languages"], old["county_fips"], old["slug"]) == (["en", "es"], "06001", "old")
    assert (old["source"], new["source"]) == ("S", "CSV-sheet")
    assert (new["name"], new["languages"]) == ("Another", [])
    assert new["slug"].startswith("another-")
    again = await take(url, graph, path, text)
    assert (again.inserted, again.changed, again.counts["providers"]) == (0, 0, (0, 0, 2))


async def test_what_a_file_does_not_speak_of_stays(url: str, graph: Graph, path: Path) -> None:
    run = await take(url, graph, path, f"id,name\n{PROVIDER},New name\n")
    assert run.counts["providers"] == (0, 1, 0)
    (found,) = await rows(url, "select * from providers")
    assert (found["name"], found["website"], found["languages"]) == (
        "New name",
        "https://example.org",
        ["en"],
    )


async def test_an_export_can_be_taken_in_again(url: str, graph: Graph, path: Path) -> None:
    text = (
        f"id,number,kind,provider.id\nPhone:{UUID(int=3)},'+14155552671,VOICE,Provider:{PROVIDER}\n"
    )
    run = await take(url, graph, path, text, "Phone")
    assert (run.changed, run.counts["phones"]) == (0, (0, 0, 1))


async def test_what_the_public_was_not_told_is_not_denied(
    url: str, graph: Graph, path: Path
) -> None:
    async with connected(url) as connection:
        await connection.execute("update locations set address_visibility = 'HIDDEN'")
    text = f"id,street,city,transportation\n{UUID(int=2)},,,Bus 7\n"
    await take(url, graph, path, text, "Location")
    (found,) = await rows(url, "select street, city, transportation from locations")
    assert found == {"street": "1 Main Street", "city": "Oakland", "transportation": "Bus 7"}
    text = f"id,confidential.street\n{UUID(int=2)},\n"
    await take(url, graph, path, text, "Location")
    (found,) = await rows(url, "select street, city from locations")
    assert found == {"street": None, "city": "Oakland"}


async def test_each_row_that_is_not_taken_is_told(url: str, graph: Graph, path: Path) -> None:
    text = (
        "id,name,orgType,website,location.id\n"
        f"{PROVIDER},Good,,,\n"
        f"{PROVIDER},Said again,,,\n"
        f"Service:{PROVIDER},Another type,,,\n"
        f"{UUID(int=77)},Nobody,,,\n"
        ",Word,CHARITY,,\n"
        f",Place,,,{UUID(int=78)}\n"
        ",Place,,,Location:x\n"
        ",Website,,example,\n"
        ",,,,\n"
        ",Fine,,,\n"
        f",{secrets.token_hex(20_000)},,,\n"
    )
    run = await take(url, graph, path, text)
    told = await rows(
        url,
        "select place, field, reason, message from import_rejections"
        " where not row_kept order by place",
    )
    # The row is not told with it, which may hold what nobody else may know.
    assert not [each for each in told if "Failing row" in each["message"]]
    assert [(each["place"], each["field"], each["reason"]) for each in told] == [
        ("sheet.csv:10", "name", "CONSTRAINT"),
        ("sheet.csv:12", None, "CONSTRAINT"),
        ("sheet.csv:3", "id", "DUPLICATE"),
        ("sheet.csv:4", "id", "INVALID"),
        ("sheet.csv:5", "id", "UNKNOWN_REFERENCE"),
        ("sheet.csv:6", "orgType", "INVALID"),
        ("sheet.csv:7", "location.id", "UNKNOWN_REFERENCE"),
        ("sheet.csv:8", "location.id", "INVALID"),
        ("sheet.csv:9", "website", "CONSTRAINT"),
    ]
    assert (run.rejected, run.counts["providers"]) == (9, (1, 1, 0))
    names = await rows(url, "select name from providers order by name")
    assert [each["name"] for each in names] == ["Fine", "Good"]


_BAD: Mapping[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "no rows": ("id,name\n", "holds no row"),
    "unknown": ("id,name,fax,salary\n", "a Provider has no 'fax', 'salary'"),
    "worked out": ("id,createdAt\n", "createdAt is worked out"),
    "kept": ("id,completeness.score\n", "completeness.score is worked out"),
    "the same": ("id,countyFips,county.id\n", "countyFips and county.id are the same"),
    "twice": ("id,name,name\n", "'name' is there twice"),
    "delimiter": ("id;name\n1;2\n", "parted by ';'"),
    "cells": ("id,name\n,a,b\n", "3 cells, 2 columns"),
    "NUL": ("id,name\n,a\0\n", "a NUL byte"),
    "not UTF-8": (b"id,name\n,Ni\xf1o\n", ":2: is not UTF-8"),
    "UTF-16": ("id,name\n,a\n".encode("utf-16"), "is not UTF-8"),
    "huge": ("id,name\n," + "x" * 10_000_000 + "\n", "field larger than field limit"),
    "quote": ('id,name\n,"a\n', "unexpected end of data"),
}


@pytest.mark.parametrize("case", _BAD)
async def test_a_file_that_cannot_be_trusted_changes_nothing(
    empty: str, graph: Graph, path: Path, case: str
) -> None:
    content, message = _BAD[case]
    before = await everything(empty)
    with pytest.raises(LoadError) as refused:
        await take(empty, graph, path, content)
    assert message in str(refused.value)
    after = await everything(empty)
    assert {name for name in before if before[name] != after[name]} <= {"import_runs"}
    states = await rows(empty, "select state from import_runs")
    assert {each["state"] for each in states} == {"FAILED"}


async def test_a_byte_order_mark_is_no_part_of_a_name(url: str, graph: Graph, path: Path) -> None:
    run = await take(url, graph, path, b"\xef\xbb\xbfname\r\nNi\xc3\xb1o\r\n")
    assert run.counts["providers"] == (1, 0, 0)
    assert await rows(url, "select name from providers where slug like 'nino-%'") == [
        {"name": "Niño"}
    ]


@pytest.mark.parametrize(("dated", "conflicts"), [(None, 1), ("2026-01-01", 1), ("2999-01-01", 0)])
async def test_what_people_changed_since_is_left_as_it_is(
    url: str, graph: Graph, path: Path, dated: str | None, conflicts: int
) -> None:
    async with connected(url) as connection, connection.transaction():
        await connection.execute("set local directory.role = 'STAFF'")
        await connection.execute("update providers set name = 'What staff says'")
    moment = datetime.fromisoformat(dated).replace(tzinfo=UTC) if dated else None
    text = f"id,name\n{PROVIDER},What the table says\n"
    run = await take(url, graph, path, text, dated=moment)
    assert run.conflicting == conflicts
    (found,) = await rows(url, "select name from providers")
    assert found["name"] == ("What staff says" if conflicts else "What the table says")


async def test_a_dry_run_tells_all_and_changes_nothing(url: str, graph: Graph, path: Path) -> None:
    before = await everything(url)
    text = f"id,name,website\n{PROVIDER},New,\n,Bad,example\n,Good,\n"
    run = await take(url, graph, path, text, dry_run=True)
    assert (run.counts["providers"], run.rejected, run.state) == ((1, 1, 0), 1, "CHECKED")
    after = await everything(url)
    assert {name for name in before if before[name] != after[name]} == {
        "import_runs",
        "import_rejections",
    }


async def test_the_command_takes_a_table(url: str, path: Path, tmp_path: Path) -> None:
    write(path, "name,website\nGood,\n=Bad,=1+1\n")
    errors = tmp_path / "errors.csv"
    said = command(
        "import", "csv", "--type", "Provider", str(path), "--errors", str(errors), database_url=url
    )
    assert said.returncode == 0, said.stderr
    assert "2 rows read, 2 records found in them, 1 rejected, 0 in conflict" in said.stdout
    (row,) = csv.DictReader(errors.read_text().splitlines())
    assert (row["place"], row["reason"]) == ("sheet.csv:3", "CONSTRAINT")
    write(path, "nom\nA\n")
    refused = command("import", "csv", "--type", "Provider", str(path), database_url=url)
    assert refused.returncode == 1
    assert "Error: sheet.csv:1: a Provider has no 'nom'" in refused.stderr


@pytest.mark.parametrize("name", edited())
def test_columns_are_called_as_an_export_calls_them(graph: Graph, name: str) -> None:
    entity, written = graph.entities[name], graph.written[name]
    cells = sheet(graph, name).cells
    assert next(iter(cells)) == "id"
    fields = entity.fields.keys() | written.fields.keys()
    assert {cell.partition(".")[0] for cell in cells} <= fields


def test_words_are_known(graph: Graph) -> None:
    words = sheet(graph, "Phone").cells["kind"].words
    assert sorted(words or ()) == ["FAX", "HOTLINE", "TEXT", "TOLL_FREE", "TTY", "VOICE"]


async def test_what_has_a_code_is_known_by_it(url: str, graph: Graph, path: Path) -> None:
    text = (
        "code,vocabulary,label,labelEs,openEligibilityIds\n"
        "HOUSING,DIRECTORY,Housing,Vivienda,\n"
        'FOOD,DIRECTORY,Food,,"1102; ""a; b"""\n'
        ",DIRECTORY,Nothing,,\n"
    )
    run = await take(url, graph, path, text, "Category")
    assert (run.counts["categories"], run.rejected) == ((2, 0, 0), 1)
    text = "id,label\nCategory:FOOD,Meals\nHOUSING,Housing\nService:FOOD,Wrong\n"
    run = await take(url, graph, path, text, "Category")
    assert (run.counts["categories"], run.rejected) == ((0, 1, 1), 1)
    found = await rows(
        url, "select code, label_en, label_es, open_eligibility_ids from categories order by code"
    )
    assert [tuple(each.values()) for each in found] == [
        ("FOOD", "Meals", None, ["1102", "a; b"]),
        ("HOUSING", "Housing", "Vivienda", []),
    ]
    with pytest.raises(LoadError, match="there has to be id or code, to know which Category it is"):
        await take(url, graph, path, "label\nFood\n", "Category")


async def test_what_belongs_to_others_says_to_whom(url: str, graph: Graph, path: Path) -> None:
    run = await take(url, graph, path, f"name,provider.id\nBeds,{PROVIDER}\n", "Service")
    assert run.inserted == 1
    (service,) = await rows(url, "select id from services")
    text = f"service.id,county.id\n{service['id']},County:06001\n,County:06001\n"
    run = await take(url, graph, path, text, "ServiceArea")
    assert (run.counts["service_areas"], run.rejected) == ((1, 0, 0), 1)
    (area,) = await rows(url, "select id, county_fips, source_id from service_areas")
    (source,) = await rows(url, "select id from sources where key = 'CSV-sheet'")
    assert (area["county_fips"], area["source_id"]) == ("06001", source["id"])
    text = f"id,county.id\nServiceArea:{area['id']},\n"
    run = await take(url, graph, path, text, "ServiceArea")
    assert (run.changed, run.rejected) == (1, 0)


@pytest.mark.parametrize("method", ["PHONE", "IMPORT"])
async def test_what_people_checked_since_is_left_as_it_is(
    url: str, graph: Graph, path: Path, method: str
) -> None:
    text = "code,name,institutionType,status\nX,Old Prison,STATE_PRISON,OPEN\n"
    assert (await take(url, graph, path, text, "Institution")).inserted == 1
    async with connected(url) as connection:
        await connection.execute(
            "insert into verifications (institution_id, method, outcome, verified_at)"
            " select id, $1, 'CONFIRMED', now() from institutions",
            method,
        )
        key = await connection.fetchval("select id from institutions")
    text = f"id,name\n{key},New Prison\n"
    run = await take(url, graph, path, text, "Institution", dated=datetime(2026, 1, 1, tzinfo=UTC))
    known = method == "PHONE"
    assert (run.changed, run.conflicting) == ((0, 1) if known else (1, 0))
    (found,) = await rows(url, "select name from institutions")
    assert found["name"] == ("Old Prison" if known else "New Prison")
    proposed = await rows(url, "select record_type, record_key from proposals")
    assert [tuple(each.values()) for each in proposed] == [("Institution", str(key))] * known


async def test_a_slug_is_changed_only_if_it_is_said(url: str, graph: Graph, path: Path) -> None:
    await take(url, graph, path, f"id,name,slug\n{PROVIDER},New,\n")
    assert await rows(url, "select name, slug from providers") == [{"name": "New", "slug": "old"}]
    await take(url, graph, path, f"id,slug\n{PROVIDER},new\n")
    assert await rows(url, "select name, slug from providers") == [{"name": "New", "slug": "new"}]


_LISTS = {
    str(field.type).removesuffix("Connection"): name
    for name, field in the_graph().schema.query_type.fields.items()  # type: ignore[union-attr]
    if str(field.type).endswith("Connection") and "first" in field.args
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def real(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def admin(real: str) -> str:
    return await api_keys.create(real, "Admin", "ADMIN", ["READ", "EXPORT"])


@pytest.fixture(scope="module")
def server(real: str, admin: str) -> Iterator[Serving]:
    with serving(database_url=stopped(real), environment="production") as running:
        yield running


@pytest.mark.parametrize("name", sorted(_LISTS.keys() & set(edited())))
async def test_an_export_of_the_real_directory_changes_nothing(
    real: str, server: Serving, admin: str, graph: Graph, path: Path, name: str
) -> None:
    made = sheet(graph, name)
    # A column that is shown in two ways, in the way in which nothing of it is withheld.
    chosen = {
        cell.column.name: called
        for called, cell in made.cells.items()
        # In another language, a text that nobody has translated shows the original.
        if cell.column.name in {made.table.key.name} | made.writable and called != "labelEs"
    }
    asked = " ".join(map(_selected, sorted(chosen.values())))
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(
            f"{server.url}/graphql",
            json={"query": f"{{ {_LISTS[name]} {{ nodes {{ {asked} }} }} }}"},
            headers={"accept": "text/csv", "authorization": f"Bearer {admin}"},
        )
    assert answer.status_code == 200, answer.text
    run = await take(real, graph, path, answer.content, name)
    async with connected(real) as connection:
        count = await connection.fetchval(f"select count(*) from {made.table.name}")
    assert (run.rejections, run.counts.get(made.table.name)) == (0, (0, 0, count))


def _selected(called: str) -> str:
    """How a column is asked for.

    >>> _selected("provenance.source.id")
    'provenance { source { id } }'
    """
    name, _, inner = called.partition(".")
    return f"{name} {{ {_selected(inner)} }}" if inner else name
