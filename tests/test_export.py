"""Who accepts a file gets all rows of a connection, of one moment, or is told that it broke off."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from db import api_keys
from db.database import Database
from resolvers.export import Column
from resolvers.resolve import GraphQLRequest
from tests.db.scratch import connected, scratch, stopped
from tests.roads import the_graph
from tests.serving import Serving, serving
from web.export import ExportBounds, Exports, Turns
from web.files import Csv, GeoJson
from web.media_types import MediaType

CSV, NDJSON, GEOJSON = "text/csv", "application/x-ndjson", "application/geo+json"

COUNTIES = "query Counties { counties { nodes { fips name } } }"
PROVIDERS = "{ providers(orderBy: [{name: ASC}]) { nodes { id name } } }"
# So much that it cannot hide in the buffers between a server and who does not read.
LARGE = """
    query Large {
      providers(orderBy: [{name: ASC}]) {
        nodes {
          id name slug website languages createdAt updatedAt
          one: provenance { ...all } two: provenance { ...all } three: provenance { ...all }
          location { id street unit city state zip countyFips latitude longitude }
          services(first: 3) { nodes { id name offers hoursText } }
        }
      }
    }
    fragment all on Provenance { source { id key name publisher url coverage knownGaps licence } }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def directory_url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def key(directory_url: str) -> str:
    """A key that may export."""
    return await api_keys.create(directory_url, "Partner", "PARTNER", ["READ", "EXPORT"])


@pytest.fixture(scope="module")
def server(directory_url: str) -> Iterator[Serving]:
    with serving(
        database_url=stopped(directory_url), environment="production", max_exports=1
    ) as running:
        yield running


@pytest.fixture(scope="module")
def strict(directory_url: str) -> Iterator[Serving]:
    """A server without patience."""
    with serving(
        database_url=stopped(directory_url),
        environment="production",
        slow_client_seconds=1,
        max_export_rows=5330,
    ) as running:
        yield running


def export(
    server: Serving, query: str, accept: str, shown: str | None = None, **more: Any
) -> httpx.Response:
    headers = {"accept": accept} | ({"authorization": f"Bearer {shown}"} if shown else {})
    asked = {"query": query, **more}
    return httpx.post(f"{server.url}/graphql", json=asked, headers=headers, timeout=60)


def refused(response: httpx.Response) -> tuple[int, str]:
    """With which status and code it is refused; nobody takes that for a file."""
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    assert "content-disposition" not in response.headers
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


def lines(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


def table(response: httpx.Response) -> list[dict[str, str]]:
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def page_by_page(server: Serving, root: str, selection: str, arguments: str = "") -> list[Any]:
    """All nodes, as one gets them without exports."""
    found: list[Any] = []
    query = f"""
        query($after: String) {{
          {root}(first: 100, after: $after {arguments}) {{
            nodes {{ {selection} }} pageInfo {{ hasNextPage endCursor }}
          }}
        }}
    """
    after = None
    while True:
        asked = {"query": query, "variables": {"after": after}}
        data = httpx.post(f"{server.url}/graphql", json=asked, timeout=60).json()["data"][root]
        found += data["nodes"]
        if not data["pageInfo"]["hasNextPage"]:
            return found
        after = data["pageInfo"]["endCursor"]


def test_a_table_has_all_rows_and_the_name_of_its_operation(server: Serving) -> None:
    response = export(server, COUNTIES, CSV)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == 'attachment; filename="Counties.csv"'
    assert response.headers["cache-control"] == "no-store"
    assert response.text.startswith("fips,name\r\n06001,Alameda\r\n06003,Alpine\r\n")
    assert table(response) == page_by_page(server, "counties", "fips name")
    assert len(table(response)) == 58


def test_a_link_is_enough(server: Serving) -> None:
    response = httpx.get(
        f"{server.url}/graphql",
        params={"query": "{ counties(first: 3) { totalCount nodes { fips } } }"},
        headers={"accept": f"{CSV}, */*;q=0.1"},
    )
    assert response.headers["content-disposition"] == 'attachment; filename="counties.csv"'
    assert len(table(response)) == 58


def test_a_line_is_what_the_answer_has(server: Serving) -> None:
    selection = (
        "id name alternateNames where: location { city county { name } }"
        " phones { number formatted } programOfferings(first: 2) { totalCount nodes { id } }"
    )
    query = f"query($n: Int) {{ institutions(first: $n) {{ nodes {{ {selection} }} }} }}"
    found = lines(export(server, query, NDJSON, variables={"n": 1}))
    assert found == page_by_page(server, "institutions", selection)
    assert any(phone for row in found for phone in row["phones"])
    assert len(found) > 60


def test_a_table_is_flat(server: Serving) -> None:
    query = """
        query($no: Boolean!) {
          institutions {
            nodes {
              ...named
              location { city latitude } phones { number } name @skip(if: $no)
            }
          }
        }
        fragment named on Institution { kind: __typename code alternateNames }
    """
    found = table(export(server, query, CSV, variables={"no": True}))
    assert list(found[0]) == [
        *("kind", "code", "alternateNames", "location.city", "location.latitude", "phones.number")
    ]
    whole = page_by_page(
        server, "institutions", "code alternateNames location { city latitude } phones { number }"
    )
    for row, node in zip(found, whole, strict=True):
        location = node["location"] or {"city": None, "latitude": None}
        assert row == {
            "kind": "Institution",
            "code": node["code"],
            "alternateNames": "; ".join(node["alternateNames"]),
            "location.city": location["city"] or "",
            "location.latitude": str(location["latitude"] or ""),
            "phones.number": "; ".join(
                "'" + each["number"] if each["number"].startswith("+") else each["number"]
                for each in node["phones"]
            ),
        }


def test_a_map_has_a_feature_for_each_row(server: Serving) -> None:
    query = "{ institutions { nodes { id name at: location { x: longitude latitude } } } }"
    response = export(server, query, GEOJSON)
    assert response.headers["content-type"].startswith(GEOJSON)
    found = response.json()
    nodes = page_by_page(server, "institutions", "id name at: location { x: longitude latitude }")
    assert found["type"] == "FeatureCollection"
    assert [feature["properties"] for feature in found["features"]] == nodes
    for feature, node in zip(found["features"], nodes, strict=True):
        assert (feature["type"], feature["id"]) == ("Feature", node["id"])
        at = node["at"]
        known = at is not None and at["latitude"] is not None
        point = {"type": "Point", "coordinates": [at["x"], at["latitude"]]} if known else None
        assert feature["geometry"] == point
    assert any(feature["geometry"] for feature in found["features"])
    nowhere = export(
        server,
        'query { institutions(filter: {code: {eq: "??"}}) { nodes { id '
        "location { latitude longitude } } } }",
        GEOJSON,
    )
    assert nowhere.json() == {"type": "FeatureCollection", "features": []}


def test_what_was_found_is_exported_best_first(server: Serving) -> None:
    query = """
        query($text: String!) {
          search(text: $text, types: [PROGRAM, INSTITUTION, VISITOR_CENTER]) {
            edges {
              score
              node { __typename ... on Program { slug } ... on Institution { code name } }
            }
          }
        }
    """
    found = lines(export(server, query, NDJSON, variables={"text": "visit"}))
    assert len({row["node"]["__typename"] for row in found}) > 1
    assert [row["score"] for row in found] == sorted((row["score"] for row in found), reverse=True)
    header = export(server, query, CSV, variables={"text": "visit"}).text.partition("\r\n")[0]
    assert set(header.split(",")) == {
        *("score", "node.__typename", "node.slug", "node.code", "node.name")
    }


def test_what_brings_many_others_is_asked_in_smaller_pages(server: Serving) -> None:
    query = """
        { counties { nodes { name institutions(first: 50) { nodes { code
            programOfferings(first: 60) { nodes { id } } } } } } }
    """
    assert len(lines(export(server, query, NDJSON))) == 58


@pytest.mark.parametrize(
    ("query", "accept", "code"),
    [
        ("{ counties { nodes { fips", CSV, "GRAPHQL_PARSE_FAILED"),
        ("{ counties { nodes { nothing } } }", CSV, "GRAPHQL_VALIDATION_FAILED"),
        ("{ counties { nodes { fips } } sources { nodes { id } } }", CSV, "NOT_EXPORTABLE"),
        ('{ county(fips: "06037") { name } }', CSV, "NOT_EXPORTABLE"),
        ("{ me { role } }", CSV, "NOT_EXPORTABLE"),
        ("{ __typename }", CSV, "NOT_EXPORTABLE"),
        ("{ counties { totalCount } }", CSV, "NOT_EXPORTABLE"),
        ("{ counties { nodes { fips } edges { cursor } } }", CSV, "NOT_EXPORTABLE"),
        ("{ counties(last: 3) { nodes { fips } } }", CSV, "NOT_EXPORTABLE"),
        ('{ counties(after: "x") { nodes { fips } } }', CSV, "BAD_CURSOR"),
        ("{ counties(first: 500) { nodes { fips } } }", CSV, "PAGE_TOO_LARGE"),
        ("subscription { entityChanged { cursor } }", CSV, "NOT_EXPORTABLE"),
        ("{ counties { nodes { fips } } }", GEOJSON, "NOT_EXPORTABLE"),
        ("{ institutions { nodes { location { latitude } } } }", GEOJSON, "NOT_EXPORTABLE"),
        ("{ providers { nodes { slug } } }", NDJSON, "EXPORT_TOO_LARGE"),
        ('{ search(text: "??") { nodes { __typename } } }', CSV, "BAD_USER_INPUT"),
        # What is for staff does not exist for others.
        ("{ locations { nodes { confidential { street } } } }", CSV, "GRAPHQL_VALIDATION_FAILED"),
        ("{ duplicateCandidates { nodes { id } } }", CSV, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
def test_what_cannot_be_a_file_is_refused_before_it_begins(
    server: Serving, query: str, accept: str, code: str
) -> None:
    assert refused(export(server, query, accept)) == (400, code)


def test_neither_lists_nor_heads_are_files(server: Serving) -> None:
    headers = {"accept": CSV}
    batch = httpx.post(f"{server.url}/graphql", json=[{"query": COUNTIES}], headers=headers)
    assert refused(batch) == (400, "MALFORMED_BATCH")
    head = httpx.head(f"{server.url}/graphql", params={"query": COUNTIES}, headers=headers)
    assert head.status_code == 406


def test_who_accepts_anything_still_gets_json(server: Serving) -> None:
    for accept in ("*/*", f"{CSV};q=0.5, application/json", "application/*"):
        assert export(server, COUNTIES, accept).json()["data"]["counties"]["nodes"]


def test_a_kept_answer_is_no_file_and_a_file_no_answer(server: Serving) -> None:
    assert export(server, COUNTIES, "application/json").json()
    assert export(server, COUNTIES, CSV).text.startswith("fips")
    assert export(server, COUNTIES, "application/json").json()


async def test_a_key_exports_more_than_anybody_may(
    server: Serving, strict: Serving, key: str, directory_url: str
) -> None:
    found = lines(export(server, PROVIDERS, NDJSON, key))
    async with connected(directory_url) as connection:
        names = await connection.fetch("select name from providers order by name, id")
    assert [row["name"] for row in found] == [name for (name,) in names]
    assert len({row["id"] for row in found}) == len(found) > 5000
    places = "{ locations { nodes { id } } }"
    assert refused(export(strict, places, NDJSON, key)) == (400, "EXPORT_TOO_LARGE")
    reader = await api_keys.create(directory_url, "Reader", "PARTNER", ["READ"])
    assert refused(export(server, PROVIDERS, NDJSON, reader)) == (400, "EXPORT_TOO_LARGE")


async def test_an_export_costs_a_request_for_each_thousand_rows(
    server: Serving, directory_url: str
) -> None:
    key = await api_keys.create(directory_url, "Few", "PARTNER", ["READ", "EXPORT"], budget=5)
    assert lines(export(server, PROVIDERS, NDJSON, key))
    spent = export(server, COUNTIES, CSV, key)
    assert (spent.status_code, spent.json()["errors"][0]["extensions"]["code"]) == (
        429,
        "BUDGET_SPENT",
    )


async def test_hidden_addresses_are_in_no_file(server: Serving, directory_url: str) -> None:
    async with connected(directory_url) as connection:
        hidden = await connection.fetch(
            "update locations set address_visibility = 'HIDDEN' where id in"
            " (select l.id from locations l join institutions i on i.location_id = l.id"
            " where l.latitude is not null order by l.id limit 2) returning street, zip"
        )
    assert len(hidden) == 2
    query = "{ institutions { nodes { code location { street zip latitude longitude } } } }"
    features = export(server, query, GEOJSON).json()["features"]
    places = [each["properties"]["location"] for each in features]
    assert sum(place is not None and not any(place.values()) for place in places) >= 2
    text = export(server, query, CSV).text
    assert not [street for street, _ in hidden if street and street in text]


class Slow:
    """A client that reads as slowly as it likes, through a small window."""

    def __init__(self, server: Serving, query: str, accept: str, key: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(30)
        port = int(server.url.rpartition(":")[2])
        self.socket.connect(("127.0.0.1", port))
        body = json.dumps({"query": query})
        self.socket.sendall(
            f"POST /graphql HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
            f"Accept: {accept}\r\nX-API-Key: {key}\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        self.read = b""

    def __enter__(self) -> Slow:
        while b"\r\n\r\n" not in self.read:
            self.read += self.socket.recv(1024)
        assert self.read.startswith(b"HTTP/1.1 200 "), self.read
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def rest(self) -> tuple[bytes, bool]:
        """The body, and whether it came to its end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)
        while True:
            try:
                chunk = self.socket.recv(32768)
            except ConnectionResetError:
                break
            if not chunk:
                break
            self.read += chunk
            chunks = self.read.partition(b"\r\n\r\n")[2]
        body = b""
        while match := re.match(rb"([0-9a-f]+)\r\n", chunks):
            size, begin = int(match[1], 16), match.end()
            if not size:
                return body, True
            body += chunks[begin : begin + size]
            chunks = chunks[begin + size + 2 :]
        return body, False


_EXPORTING = """
    select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and backend_type = 'client backend' and state <> 'idle'
"""


async def exporting(url: str, expected: int) -> list[int]:
    """The connections of exports, once there are so many; all others are idle meanwhile."""
    async with connected(url) as connection:
        deadline = time.monotonic() + 20
        while True:
            found = [pid for (pid,) in await connection.fetch(_EXPORTING)]
            if len(found) == expected:
                return found
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.05)


async def test_all_pages_are_of_one_moment_and_others_wait_for_none(
    server: Serving, key: str, directory_url: str
) -> None:
    async with connected(directory_url) as connection:
        with Slow(server, LARGE, NDJSON, key) as slow:
            await exporting(directory_url, 1)
            # One at a time; but whoever asks for an answer is answered.
            assert refused(export(server, COUNTIES, CSV)) == (429, "TOO_MANY_EXPORTS")
            assert export(server, COUNTIES, "application/json").json()["data"]
            before = await connection.fetchval("select count(*) from providers")
            last = await connection.fetchval("select max(name) from providers")
            await connection.execute(
                "update providers set name = 'zzz changed' where name = $1", last
            )
            body, whole = slow.rest()
            await connection.execute(
                "update providers set name = $1 where name = 'zzz changed'", last
            )
    rows = [json.loads(line) for line in body.splitlines()]
    assert whole
    assert len(rows) == before
    assert rows[-1]["name"] == last
    assert len(body) > 9_000_000


async def test_a_client_that_hangs_up_ends_its_export(
    server: Serving, key: str, directory_url: str
) -> None:
    with Slow(server, LARGE, NDJSON, key):
        await exporting(directory_url, 1)
    await exporting(directory_url, 0)
    assert lines(export(server, COUNTIES, NDJSON))


@pytest.mark.parametrize("accept", [NDJSON, CSV, GEOJSON])
async def test_an_export_whose_connection_is_lost_breaks_off(
    server: Serving, key: str, directory_url: str, accept: str
) -> None:
    with Slow(server, LARGE, accept, key) as slow:
        (pid,) = await exporting(directory_url, 1)
        async with connected(directory_url) as connection:
            await connection.fetchval("select pg_terminate_backend($1)", pid)
        body, whole = slow.rest()
    assert not whole
    if accept == NDJSON:
        *rows, last = map(json.loads, body.splitlines())
        assert last["errors"][0]["extensions"]["code"] == "DATABASE_UNAVAILABLE"
        assert all(row["id"] for row in rows)
    if accept == GEOJSON:
        with pytest.raises(json.JSONDecodeError):
            json.loads(body)
    assert lines(export(server, COUNTIES, NDJSON))


async def test_a_client_that_takes_nothing_is_let_go(
    strict: Serving, key: str, directory_url: str
) -> None:
    with Slow(strict, LARGE, NDJSON, key) as slow:
        # It does not hang up, and still keeps no connection to Postgres.
        await exporting(directory_url, 1)
        await exporting(directory_url, 0)
        _, whole = slow.rest()
    assert not whole
    assert "a client that does not read its export was let go" in strict.said()


@pytest.mark.parametrize("code", ["STATEMENT_TIMEOUT", "SHUTTING_DOWN"])
async def test_an_export_that_is_ended_says_why(directory_url: str, code: str) -> None:
    sent: list[Mapping[str, Any]] = []
    stuck = asyncio.Event()

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)
        if len(sent) == 2:
            stuck.set()
            await asyncio.Event().wait()  # it would take the first rows for ever

    database = await Database.open(directory_url)
    seconds = 2 if code == "STATEMENT_TIMEOUT" else 60
    turns = Turns()
    exports = Exports(the_graph(), database, ExportBounds(seconds=seconds, patience=60), turns)
    request = GraphQLRequest(PROVIDERS, asker={"scopes": ["EXPORT"]})
    try:
        writing = asyncio.create_task(exports.write(send, MediaType.NDJSON, request, None))
        await stuck.wait()
        if code == "SHUTTING_DOWN":
            writing.cancel()
        await writing
    finally:
        await database.close()
    start, first, last = sent
    assert start["status"] == 200
    # No page is read before the one before it is taken.
    assert len(first["body"].splitlines()) == 100
    assert json.loads(last["body"])["errors"][0]["extensions"]["code"] == code
    assert last["more_body"]
    assert turns.taken == 0
    await exporting(directory_url, 0)


def column(*keys: str, several: bool = False) -> Column:
    return Column(keys, keys[-1], several)


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"a": '=HYPERLINK("x")', "b": []}, '"\'=HYPERLINK(""x"")",\r\n'),
        ({"a": "@x", "b": ["-2+3", "-2", "\tx"]}, "'@x,'-2+3; -2; '\tx\r\n"),
        ({"a": "two\r\nlines, one", "b": [None, "x"]}, '"two\r\nlines, one",; x\r\n'),
        ({"a": "\uff1d1", "b": None}, "'\uff1d1,\r\n"),
        ({"a": -1.5, "b": True}, "-1.5,true\r\n"),
        ({"a": "ñ; 東京", "b": "a=b"}, "ñ; 東京,a=b\r\n"),
    ],
)
def test_a_cell_is_no_formula(row: Mapping[str, object], line: str) -> None:
    assert Csv([column("a"), column("b", several=True)]).page([row]) == line.encode()


def test_a_row_is_at_the_first_coordinates_that_it_has() -> None:
    columns = [column(*at, name) for at in (("a",), ("b",)) for name in ("latitude", "longitude")]
    writes = GeoJson(columns)
    rows: list[Mapping[str, object]] = [
        {"a": {"latitude": None, "longitude": None}, "b": {"latitude": 1.5, "longitude": -2}},
        {"a": None, "b": {"latitude": 1, "longitude": None}},
    ]
    made = json.loads(writes.begin() + writes.page(rows[:1]) + writes.page(rows[1:]) + writes.end())
    assert [each["geometry"] for each in made["features"]] == [
        {"type": "Point", "coordinates": [-2, 1.5]},
        None,
    ]
