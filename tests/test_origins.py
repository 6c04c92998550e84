"""Pages of other origins: which may read what (CORS), and that none can forge a request (CSRF)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
import pytest_asyncio

from tests.browser import CHROMIUM, Page, browser
from tests.db.scratch import connected, scratch, stopped
from tests.serving import Serving, command, listened, serving
from web.origins import Origins

ONE = "https://one.example"
OTHER = "http://localhost:3000"
STRANGER = "https://evil.example"

QUERY = "{ counties(first: 3) { nodes { name } } }"
LONG = "{ counties(first: 58) { nodes { name fips } } }"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database_url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def port() -> AsyncIterator[int]:
    """Of a site with an empty page, which has two origins: localhost, and 127.0.0.1."""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 0\r\n"
        writer.write(head + b"connection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(page, "127.0.0.1", 0) as site:
        found: int = site.sockets[0].getsockname()[1]
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def some(database_url: str, port: int) -> AsyncIterator[str]:
    """The URL of a server that two origins may read, and the page on localhost."""
    origins = f"{ONE}, {OTHER}, http://localhost:{port}"
    settings = {"database_url": stopped(database_url), "cors_origins": origins}
    with serving(**settings, environment="production") as running:
        yield running.url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def every(database_url: str) -> AsyncIterator[str]:
    """The URL of a server that all origins may read."""
    settings = {"database_url": stopped(database_url), "cors_origins": "*"}
    with serving(**settings, environment="production") as running:
        yield running.url


def preflight(url: str, origin: str, method: str = "POST", **headers: str) -> httpx.Response:
    """What a browser asks before it lets a page send what no form could."""
    asked = {"origin": origin, "access-control-request-method": method, **headers}
    return httpx.options(f"{url}/graphql", headers=asked)


def get(url: str, query: str = QUERY, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}/graphql", params={"query": query}, headers=headers)


def allowed(response: httpx.Response) -> str | None:
    origin: str | None = response.headers.get("access-control-allow-origin")
    return origin


def varies_by_origin(response: httpx.Response) -> bool:
    return "origin" in [each.strip().lower() for each in response.headers["vary"].split(",")]


def test_without_a_setting_no_page_from_elsewhere_can_read_anything(served: Serving) -> None:
    assert preflight(served.url, ONE).status_code == 405
    for response in (preflight(served.url, ONE), get(served.url, origin=ONE)):
        assert not any(name.startswith("access-control-") for name in response.headers)


def test_a_browser_is_told_once_a_day_what_pages_may_send(some: str) -> None:
    wanted = {"access-control-request-headers": "content-type, x-apollo-operation-name"}
    for origin in (ONE, OTHER):
        response = preflight(some, origin, **wanted)
        assert response.status_code == 200
        assert allowed(response) == origin
        assert response.headers["access-control-allow-methods"] == "GET, HEAD, POST"
        headers = response.headers["access-control-allow-headers"]
        assert headers == wanted["access-control-request-headers"]
        assert response.headers["access-control-max-age"] == "86400"
        assert varies_by_origin(response)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "post", "TRACE"])
def test_no_other_methods_are_agreed_to(some: str, method: str) -> None:
    assert preflight(some, ONE, method).status_code == 400


@pytest.mark.parametrize(
    "origin",
    [
        STRANGER,
        "null",
        "https://one.example.evil.example",
        "https://one.example:444",
        "http://one.example",
        "https://ONE.example",
        f"{ONE}, {STRANGER}",
        "*",
        "",
    ],
)
def test_a_stranger_may_read_nothing(some: str, origin: str) -> None:
    assert preflight(some, origin).status_code == 400
    for response in (preflight(some, origin), get(some, origin=origin)):
        assert allowed(response) is None
        assert varies_by_origin(response)


def test_a_page_is_told_what_it_may_read_of_an_answer(some: str) -> None:
    response = get(some, origin=ONE)
    assert allowed(response) == ONE
    exposed = response.headers["access-control-expose-headers"].lower()
    assert {"etag", "server-timing"} <= {name.strip() for name in exposed.split(",")}
    assert "access-control-allow-credentials" not in response.headers


def test_refusals_and_errors_can_be_read_too(some: str) -> None:
    for response in (
        get(some, "{", origin=ONE),
        httpx.post(f"{some}/graphql", content="x", headers={"origin": ONE}),
        httpx.get(f"{some}/schema.json", headers={"origin": ONE}),
    ):
        assert allowed(response) == ONE


async def test_what_is_kept_for_one_origin_is_given_to_others_as_theirs(
    some: str, database_url: str
) -> None:
    await listened(database_url)
    for _ in range(20):
        first = get(some, LONG, origin=ONE)
    etag = {"if-none-match": first.headers["etag"]}
    async with connected(database_url) as connection, connection.transaction():
        # From here on nothing can be had but what is kept.
        await connection.execute("lock table counties in access exclusive mode")
        for origin, expected in ((ONE, ONE), (OTHER, OTHER), (STRANGER, None), (None, None)):
            headers = {} if origin is None else {"origin": origin}
            for encoding in ("identity", "gzip", "br", "zstd"):
                again = get(some, LONG, **headers, **{"accept-encoding": encoding})
                assert (again.status_code, again.content) == (200, first.content)
                assert allowed(again) == expected
                assert (
                    again.headers["vary"]
                    == "accept, accept-encoding, authorization, x-api-key, Origin"
                )
            same = get(some, LONG, **headers, **etag)
            assert (same.status_code, allowed(same)) == (304, expected)
            assert varies_by_origin(same)


def test_an_answer_for_all_origins_names_none(every: str) -> None:
    for origin in (ONE, STRANGER, "null"):
        for response in (preflight(every, origin), get(every, origin=origin)):
            assert allowed(response) == "*"
            assert "access-control-allow-credentials" not in response.headers


async def read(page: Page, url: str, init: dict[str, object]) -> object:
    """What the script of a page is let read of an answer; None if nothing."""
    asked = f"fetch({json.dumps(url)}, {json.dumps(init)})"
    told = "({status: answer.status, tag: answer.headers.get('etag'), body: await answer.json()})"
    return await page.evaluate(f"{asked}.then(async (answer) => {told}, () => null)")


@pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM: nobody saw what a browser makes of it")
async def test_a_browser_lets_pages_of_the_right_origins_read(some: str, port: int) -> None:
    posted: dict[str, object] = {
        "method": "POST",
        "headers": {"content-type": "application/json", "x-apollo-operation-name": "Q"},
        "body": json.dumps({"query": QUERY}),
    }
    link = f"{some}/graphql?query={quote(QUERY)}"
    known = get(some)
    answer = {"status": 200, "body": known.json()}
    async with browser() as page:
        await page.call("Page.navigate", url=f"http://localhost:{port}/")
        await page.until("location.host.startsWith('localhost')")
        assert await read(page, f"{some}/graphql", posted) == {**answer, "tag": None}
        assert await read(page, link, {}) == {**answer, "tag": known.headers["etag"]}
        await page.call("Page.navigate", url=f"http://127.0.0.1:{port}/")
        await page.until("location.host.startsWith('127')")
        assert await read(page, f"{some}/graphql", posted) is None
        assert await read(page, link, {}) is None
        # What needs no agreement is sent, and is not taken for a question.
        form = {"method": "POST", "mode": "no-cors", "body": json.dumps({"query": QUERY})}
        sent = f"fetch({json.dumps(f'{some}/graphql')}, {json.dumps(form)})"
        assert await page.evaluate(f"{sent}.then((answer) => answer.type)") == "opaque"


@pytest.mark.parametrize(
    "origins",
    ["one.example", "https://one.example/", "https://one.example/app", "null", "https://*.example"],
)
def test_what_is_no_origin_is_refused(origins: str) -> None:
    with pytest.raises(ValueError, match="is no origin, such as"):
        Origins(f"{ONE}, {origins}")


def test_a_wrong_setting_is_told_at_start() -> None:
    failed = command("migrate", cors_origins="https://one.example/app")
    assert failed.returncode == 1
    assert "CORS_ORIGINS" in failed.stderr


# Forged requests


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain;charset=UTF-8",
        "text/plain; application/json",
        "text/plain, application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
    ],
)
def test_what_a_form_can_send_from_elsewhere_is_not_read(every: str, content_type: str) -> None:
    """The types for which no browser asks first, even where all origins may read answers."""
    headers = {"origin": STRANGER, "content-type": content_type}
    response = httpx.post(f"{every}/graphql", content='{"query": "{ a }"}', headers=headers)
    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


def test_two_types_of_one_body_are_none(every: str) -> None:
    for one, other in (("text/plain", "application/json"), ("application/json", "text/plain")):
        headers = [("content-type", one), ("content-type", other)]
        response = httpx.post(f"{every}/graphql", content='{"query": "{ a }"}', headers=headers)
        assert response.status_code == 415


def test_a_get_changes_nothing_and_no_answer_sets_a_cookie(every: str) -> None:
    changing = get(every, "mutation { anything }", origin=STRANGER)
    assert changing.status_code in (200, 405)
    assert "data" not in changing.json()
    for response in (changing, get(every), httpx.get(f"{every}/healthz")):
        assert "set-cookie" not in response.headers
