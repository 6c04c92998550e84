"""What no client library would send, by the byte: refused with a code, and nothing of us leaks."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.db.scratch import scratch, stopped
from tests.serving import Serving, serving

QUERY = '{"query": "{ __typename }"}'
ANSWER = b'{"data":{"__typename":"Query"}}'

# What nobody may see of us: where we live, what we are made of, and what we ask Postgres.
OURS = re.compile(
    rb"Traceback|\.py\b|/site-packages|uvicorn|starlette|httptools|asyncpg|orjson|python|postgres"
    rb"|select |\bat 0x",
    re.IGNORECASE,
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def impatient(loaded_url: str) -> AsyncIterator[Serving]:
    """A server that waits a second for a request, and has pages of one other origin."""
    async with scratch(loaded_url) as url:
        settings = {"database_url": stopped(url), "environment": "production"}
        settings |= {"read_timeout_seconds": "1", "cors_origins": "https://one.example"}
        with serving(**settings) as running:
            yield running


@dataclass(frozen=True)
class Response:
    """What came back, and whether the server hung up afterwards."""

    raw: bytes
    closed: bool

    @property
    def status(self) -> int:
        """That of the first response; 0 if there was none."""
        found = re.match(rb"HTTP/1\.1 (\d{3})", self.raw)
        return int(found[1]) if found else 0

    @property
    def code(self) -> str:
        """The code of its error."""
        found: Any = json.loads(self.raw.partition(b"\r\n\r\n")[2])
        code: str = found["errors"][0]["extensions"]["code"]
        return code


async def send(
    server: Serving, *parts: bytes, pause: float = 0, half: bool = False, patience: float = 10
) -> Response:
    """What a server says to these bytes, until it hangs up or has given a whole answer."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    found, closed = b"", False
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        if half:
            writer.write_eof()
        async with asyncio.timeout(patience):
            while not closed and not _whole(found):
                chunk = await reader.read(65536)
                found, closed = found + chunk, not chunk
    except ConnectionError:
        closed = True
    finally:
        writer.close()
    assert OURS.search(found) is None, found
    return Response(found, closed)


def _whole(found: bytes) -> bool:
    head, blank, body = found.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    # Whoever closes says so; then there is more to wait for.
    closes = b"connection: close" in head
    return bool(blank and length and len(body) >= int(length[1]) and not closes)


def head(*headers: str, line: str = "POST /graphql HTTP/1.1") -> bytes:
    """The head of a request that says it is JSON."""
    given = ["host: here", "content-type: application/json", *headers]
    return "\r\n".join([line, *given, "", ""]).encode("latin-1")


async def still_answers(server: Serving) -> None:
    whole = head(f"content-length: {len(QUERY)}") + QUERY.encode()
    assert (await send(server, whole)).raw.endswith(ANSWER)


# Bytes that are no HTTP


NO_HTTP = {
    "another protocol": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no such version": b"GET /graphql HTTP/9.9\r\n\r\n",
    "nonsense": b"nonsense\r\n\r\n",
    "a NUL in the path": b"GET /gra\0phql HTTP/1.1\r\nhost: here\r\n\r\n",
    "a NUL in a header": b"GET /graphql HTTP/1.1\r\nhost: he\0re\r\n\r\n",
    "a bare CR in a header": b"GET / HTTP/1.1\r\nhost: here\rx: y\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nhost : here\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\n: here\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nhost here\r\n\r\n",
    "lengths that differ": head("content-length: 5", "content-length: 27") + QUERY.encode(),
    "a negative length": head("content-length: -1") + QUERY.encode(),
    "a length in words": head("content-length: many") + QUERY.encode(),
    "a length beyond all": head("content-length: " + "9" * 40) + QUERY.encode(),
    "a length and chunks": head("content-length: 27", "transfer-encoding: chunked") + b"0\r\n\r\n",
    "chunks, twice encoded": head("transfer-encoding: chunked, identity") + b"0\r\n\r\n",
    "a chunk of no size": head("transfer-encoding: chunked") + b"x\r\n\r\n",
    "a chunk of a negative size": head("transfer-encoding: chunked") + b"-1\r\n\r\n",
    "a chunk beyond all": head("transfer-encoding: chunked") + b"f" * 40 + b"\r\n",
}


@pytest.mark.parametrize("request_", NO_HTTP.values(), ids=NO_HTTP.keys())
async def test_what_is_no_http_has_a_code_and_an_end(served: Serving, request_: bytes) -> None:
    response = await send(served, request_)
    assert (response.status, response.code) == (400, "MALFORMED_HTTP")
    assert response.closed
    assert b"cache-control: no-store" in response.raw
    await still_answers(served)


# Too much


async def test_headers_have_an_end(served: Serving) -> None:
    fits = head(f"content-length: {len(QUERY)}", "x: " + "y" * 60_000) + QUERY.encode()
    assert (await send(served, fits)).raw.endswith(ANSWER)
    for headers in (["x: " + "y" * 64_001], [f"x{n}: {'y' * 90}" for n in range(1000)]):
        huge = head(*headers)
        for parts in ([huge], [huge[at : at + 5000] for at in range(0, len(huge), 5000)]):
            response = await send(served, *parts)
            assert response.closed
            # Somebody who still sends when we hang up may not get to read why.
            assert response.status in (431, 0)
            if response.status:
                assert response.code == "HEADERS_TOO_LARGE"
    await still_answers(served)


async def test_headers_that_never_end_are_cut_off(served: Serving) -> None:
    endless = [b"POST /graphql HTTP/1.1\r\n", *[b"x: " + b"y" * 5000 + b"\r\n"] * 2000]
    assert (await send(served, *endless)).closed
    await still_answers(served)


async def test_a_url_has_an_end(served: Serving) -> None:
    for length in (64_001, 1_000_000):
        line = f"GET /graphql?query={'x' * length} HTTP/1.1"
        response = await send(served, head(line=line))
        assert response.closed
        assert response.status in (414, 0)
        if response.status:
            assert response.code == "URL_TOO_LONG"
    await still_answers(served)


async def test_what_follows_a_body_is_no_header(served: Serving) -> None:
    chunk = b"%x\r\n%b\r\n0\r\n" % (len(QUERY), QUERY.encode())
    trailers = b"accept: image/png\r\naccept-language: es\r\n" + b"x: y\r\n" * 100
    response = await send(served, head("transfer-encoding: chunked"), chunk + trailers + b"\r\n")
    assert response.raw.endswith(ANSWER)


# Too little


async def test_a_body_in_chunks_is_put_together(served: Serving) -> None:
    chunks = [b"1;name=value\r\n%c\r\n" % byte for byte in QUERY.encode()]
    parts = [head("transfer-encoding: chunked"), *chunks, b"0\r\n\r\n"]
    assert (await send(served, *parts)).raw.endswith(ANSWER)


async def test_a_body_that_is_cut_short_is_not_read(impatient: Serving) -> None:
    short = QUERY[:-1].encode()
    whole = head(f"content-length: {len(short)}") + short
    response = await send(impatient, whole)
    assert (response.status, response.code) == (400, "MALFORMED_JSON")
    # And a body that is shorter than it was said to be is none at all.
    for headers, part in (
        (f"content-length: {len(QUERY) + 1}", QUERY.encode()),
        ("transfer-encoding: chunked", b"%x\r\n%b\r\n" % (len(QUERY), QUERY.encode())),
    ):
        response = await send(impatient, head(headers) + part)
        assert (response.status, response.code) == (408, "REQUEST_TIMEOUT")
        assert response.closed


async def test_a_client_that_stops_talking_is_not_waited_for(served: Serving) -> None:
    """It has closed its half of the connection, and will never say the rest."""
    for part in (head("content-length: 100")[:-10], head("content-length: 100") + b"{"):
        assert (await send(served, part, half=True)).closed
    await still_answers(served)


# Too slow


SLOW: dict[str, Sequence[bytes]] = {
    "in its first line": [b"P", b"O", b"S", b"T", b" ", b"/", b"g", b"r", b"a", b"p", b"h"],
    "in its headers": [b"POST /graphql HTTP/1.1\r\n", *[b"x: y\r\n"] * 10],
    "in its body": [head("content-length: 1000"), *[b" "] * 10],
    "in its chunks": [head("transfer-encoding: chunked"), *[b"1\r\n \r\n"] * 10],
    "after its body": [head("transfer-encoding: chunked") + b"0\r\n", *[b"x: y\r\n"] * 10],
}


@pytest.mark.parametrize("parts", SLOW.values(), ids=SLOW.keys())
async def test_a_request_has_to_come_to_an_end(impatient: Serving, parts: Sequence[bytes]) -> None:
    response = await send(impatient, *parts, pause=0.2)
    assert response.closed
    # It had hung up while they were still sending, so that some do not get to read why.
    assert response.status in (408, 0)
    if response.status:
        assert response.code == "REQUEST_TIMEOUT"


async def test_many_who_say_nothing_keep_nobody_waiting(impatient: Serving) -> None:
    whole = head(f"content-length: {len(QUERY)}") + QUERY.encode()
    silent = [asyncio.ensure_future(send(impatient, b"")) for _ in range(200)]
    slow = [asyncio.ensure_future(send(impatient, head("content-length: 9"))) for _ in range(200)]
    for response in await asyncio.gather(*(send(impatient, whole) for _ in range(20))):
        assert response.raw.endswith(ANSWER)
    # A browser opens connections that it may need; it is told nothing that it has not asked.
    assert {(each.raw, each.closed) for each in await asyncio.gather(*silent)} == {(b"", True)}
    assert {each.status for each in await asyncio.gather(*slow)} == {408}


async def test_empty_lines_keep_no_connection(impatient: Serving) -> None:
    whole = head(f"content-length: {len(QUERY)}") + QUERY.encode()
    address = urlsplit(impatient.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(whole)
    await reader.readuntil(ANSWER)
    writer.write(b"\r\n")
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()


async def test_somebody_who_reads_nothing_is_left(impatient: Serving) -> None:
    """Answers that nobody fetches would fill our memory, and no one would ever hang up."""
    query = json.dumps(
        {
            "query": "{ institutions(first: 100) { nodes { name website visitingStatus"
            "(type: IN_PERSON) { status } } } }"
        }
    )
    whole = head(f"content-length: {len(query)}") + query.encode()
    address = urlsplit(impatient.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port, limit=1)
    gone = False
    async with asyncio.timeout(30):
        while not gone:
            try:
                writer.write(whole * 100)
                await asyncio.wait_for(writer.drain(), 0.2)
            except TimeoutError:
                pass
            except ConnectionError:
                gone = True
            await asyncio.sleep(0.05)
    await still_answers(impatient)


async def test_a_connection_that_waits_for_its_next_question_is_kept(impatient: Serving) -> None:
    whole = head(f"content-length: {len(QUERY)}") + QUERY.encode()
    address = urlsplit(impatient.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for _ in range(2):
        writer.write(whole)
        async with asyncio.timeout(10):
            await reader.readuntil(ANSWER)
        # Longer than a request may take, shorter than a connection is kept.
        await asyncio.sleep(1.2)
    writer.close()


async def test_a_socket_may_be_silent_for_longer(impatient: Serving) -> None:
    """It has asked already, and waits for us."""
    url = f"{impatient.url.replace('http', 'ws')}/graphql"
    async with asyncio.timeout(20):
        async with connect(url, subprotocols=[Subprotocol("graphql-transport-ws")]) as talking:
            await asyncio.sleep(2.5)
            await talking.send('{"type": "connection_init"}')
            assert json.loads(await talking.recv()) == {"type": "connection_ack"}


# Injections


async def test_what_a_client_says_is_not_in_our_headers(served: Serving) -> None:
    evil = "evil.example%0d%0aset-cookie:%20a=b"
    hosts = ["host: evil.example", "x-forwarded-host: evil.example", "forwarded: host=evil.example"]
    for line in (
        "GET /graphql?query=%7B__typename%7D HTTP/1.1",
        f"GET /graphql?query={evil} HTTP/1.1",
        f"GET /{evil} HTTP/1.1",
        f"GET //{evil}/.. HTTP/1.1",
        "GET / HTTP/1.1",
        "GET /graphql/ HTTP/1.1",
        "GET /healthz/ HTTP/1.1",
        "GET /schema.json/ HTTP/1.1",
        "GET /graphiql HTTP/1.1",
        "GET http://evil.example/ HTTP/1.1",
        "GET http://evil.example/graphql?query=%7B__typename%7D HTTP/1.1",
    ):
        request = "\r\n".join([line, *hosts, "accept: application/json", "", ""]).encode()
        response = await send(served, request)
        assert response.status, line
        headers = response.raw.partition(b"\r\n\r\n")[0].lower()
        assert b"evil" not in headers, line
        assert b"set-cookie" not in headers, line


async def test_what_a_preflight_repeats_is_of_one_line(impatient: Serving) -> None:
    asked = ("origin: https://one.example", "access-control-request-method: POST")
    for wanted in ("x-a\tb", "\x01", "\x7f", "ñ", "a\x0bset-cookie: b", "x" * 5000):
        line = f"access-control-request-headers: {wanted}"
        response = await send(impatient, head(*asked, line, line="OPTIONS /graphql HTTP/1.1"))
        assert response.status in (200, 400, 500), wanted
        assert b"\nset-cookie" not in response.raw.lower()


# A kept answer is nobody else's


def test_no_header_decides_what_others_are_given(served: Serving, impatient: Serving) -> None:
    """Whatever a first client says of itself, the next one is answered as if it were the first."""
    poison: list[dict[str, str]] = [
        {"host": "evil.example"},
        {"x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher"},
        {"x-forwarded-for": "127.0.0.1", "x-real-ip": "10.0.0.1", "forwarded": "for=evil"},
        {"x-original-url": "/healthz", "x-rewrite-url": "/healthz"},
        {"x-http-method-override": "DELETE", "x-method-override": "PUT"},
        {"accept-language": "es;q=9,,;;=, *;q=nan, \\"},
        {"accept-language": "es-MX"},
        {"accept-encoding": "zstd"},
        {"accept-encoding": "br;q=x, gzip;;, \\"},
        {"accept": "application/graphql-response+json"},
        {"origin": "https://one.example"},
        {"authorization": "Bearer of-somebody", "cookie": "session=of-somebody"},
        {"if-none-match": '"of-somebody"', "if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"range": "bytes=0-3", "if-range": '"x"'},
        {"cache-control": "no-cache, max-age=0", "pragma": "no-cache"},
        {"te": "trailers", "connection": "x-hop", "x-hop": "of-somebody"},
        {"content-type": "text/plain", "content-encoding": "gzip"},
    ]
    for number, first in enumerate(poison):
        query = f"{{ categories(first: {20 + number}) {{ nodes {{ code label }} }} }}"
        plain = {"accept": "application/json", "accept-encoding": "identity"}
        url = f"{impatient.url}/graphql"
        for _ in range(3):
            httpx.get(url, params={"query": query}, headers={**plain, **first})
        given = httpx.get(url, params={"query": query}, headers=plain)
        fresh = httpx.get(f"{served.url}/graphql", params={"query": query}, headers=plain)
        assert given.status_code == 200
        assert given.content == fresh.content, first
        ours = {
            name: value for name, value in given.headers.items() if name not in ("date", "vary")
        }
        theirs = {
            name: value for name, value in fresh.headers.items() if name not in ("date", "vary")
        }
        assert ours == theirs, first
        assert given.headers["vary"] == f"{fresh.headers['vary']}, Origin"


def test_a_body_is_not_taken_for_a_url(impatient: Serving) -> None:
    query_string = "query=%7Bcounties%7BtotalCount%7D%7D"
    for _ in range(5):
        assert httpx.get(f"{impatient.url}/graphql?{query_string}").status_code == 200
    headers = {"content-type": "application/json"}
    response = httpx.post(f"{impatient.url}/graphql", content=query_string, headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "MALFORMED_JSON"
