"""Operations asked by their hash: sent once and remembered, or trusted from the start."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest
import zstandard

from tests.db.scratch import connected, scratch
from tests.serving import command, serving

TEXT = "query Name($code: String!) { institution(code: $code) { name } }"
NAMED = {"data": {"institution": {"name": "San Quentin Rehabilitation Center"}}}
CODE = {"code": "SQ"}
LONG = "{ institutions(first: 40) { nodes { name website } } }"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}


@pytest.fixture(scope="module")
async def url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as copied:
        yield copied


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[httpx.Client]:
    with (
        serving(database_url=url, environment="production") as running,
        httpx.Client(base_url=running.url, timeout=30) as opened,
    ):
        yield opened


def post(client: httpx.Client, body: Any, accept: str = "application/json") -> httpx.Response:
    return client.post("/graphql", json=body, headers={"accept": accept})


def code(response: httpx.Response) -> str:
    found: str = response.json()["errors"][0]["extensions"]["code"]
    return found


# Automatic persisted queries


def test_a_query_is_sent_whole_once_and_by_its_hash_from_then_on(client: httpx.Client) -> None:
    text = f"# sent once\n{TEXT}"
    short = {"variables": CODE, "extensions": persisted(text)}
    unknown = post(client, short)
    assert (unknown.status_code, code(unknown)) == (200, "PERSISTED_QUERY_NOT_FOUND")
    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert post(client, {**short, "query": text}).json() == NAMED
    assert post(client, short).json() == NAMED
    parameters = {name: json.dumps(value) for name, value in short.items()}
    got = client.get("/graphql", params=parameters)
    assert got.json() == NAMED
    again = client.get(
        "/graphql", params=parameters, headers={"if-none-match": got.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_client_that_trusts_a_status_is_told_by_it(client: httpx.Client) -> None:
    unknown = post(client, {"extensions": persisted("{ a }")}, "application/graphql-response+json")
    assert (unknown.status_code, code(unknown)) == (400, "PERSISTED_QUERY_NOT_FOUND")
    assert unknown.headers["cache-control"] == "no-store"


def test_a_hash_of_something_else_is_refused_and_not_remembered(client: httpx.Client) -> None:
    other = "{ counties { totalCount } }"
    wrong = post(client, {"query": TEXT, "extensions": persisted(other), "variables": CODE})
    assert (wrong.status_code, code(wrong)) == (400, "PERSISTED_QUERY_HASH_MISMATCH")
    assert code(post(client, {"extensions": persisted(other)})) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    "extensions",
    [
        {"persistedQuery": 1},
        {"persistedQuery": {"version": 2, "sha256Hash": "0" * 64}},
        {"persistedQuery": {"version": 1}},
        {"persistedQuery": {"version": 1, "sha256Hash": "XYZ"}},
        {"persistedQuery": {"version": 1, "sha256Hash": ["0" * 64]}},
    ],
)
def test_what_is_no_hash_is_a_malformed_request(client: httpx.Client, extensions: Any) -> None:
    response = post(client, {"query": TEXT, "extensions": extensions})
    assert (response.status_code, code(response)) == (400, "MALFORMED_REQUEST")


# Trusted documents


def manifest(path: Path, *texts: str) -> Path:
    path.write_text(json.dumps({digest(text): text for text in texts}))
    return path


def test_a_manifest_is_imported_once_and_asked_by_hash(
    client: httpx.Client, url: str, tmp_path: Path
) -> None:
    operations = [{"id": digest(TEXT), "name": "Name", "type": "query", "body": TEXT}]
    file = tmp_path / "manifest.json"
    head = {"format": "apollo-persisted-query-manifest", "version": 1}
    file.write_text(json.dumps({**head, "operations": operations}))
    said = command("documents", "import", str(file), database_url=url).stdout
    assert "1 operations are trusted, 1 of them new; 0 are forgotten." in said
    said = command("documents", "import", str(file), database_url=url).stdout
    assert "0 of them new" in said
    for hash_ in (digest(TEXT), f"sha256:{digest(TEXT)}"):
        assert post(client, {"documentId": hash_, "variables": CODE}).json() == NAMED
    got = client.get("/graphql", params={"documentId": digest(TEXT), "variables": json.dumps(CODE)})
    assert got.json() == NAMED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[", "it is not JSON"),
        ("[]", "it is no object"),
        ('{"operations": 1}', "no list of objects"),
        ('{"operations": [{"id": "x"}]}', "has no text"),
        (json.dumps({"0" * 64: TEXT}), "is not the SHA-256"),
        (json.dumps({digest("{ nothing }"): "{ nothing }"}), "Cannot query field 'nothing'"),
    ],
)
def test_a_manifest_that_is_wrong_changes_nothing_and_says_why(
    url: str, tmp_path: Path, client: httpx.Client, text: str, reason: str
) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(text)
    refused = command("documents", "import", str(file), database_url=url)
    assert refused.returncode == 1
    assert reason in refused.stderr


def test_a_server_can_answer_nothing_but_what_it_trusts(
    url: str, tmp_path: Path, client: httpx.Client
) -> None:
    file = manifest(tmp_path / "one.json", TEXT)
    command("documents", "import", "--only", str(file), database_url=url)
    with (
        serving(database_url=url, environment="production", documents="trusted") as strict,
        httpx.Client(base_url=strict.url, timeout=30) as asker,
    ):
        assert post(asker, {"documentId": digest(TEXT), "variables": CODE}).json() == NAMED
        assert post(asker, {"query": TEXT, "variables": CODE}).json() == NAMED
        for body in ({"query": LONG}, {"documentId": digest(LONG)}):
            refused = post(asker, body)
            assert (refused.status_code, code(refused)) == (200, "DOCUMENT_NOT_TRUSTED")
        introspection = {"query": "{ __schema { types { name } } }"}
        assert code(post(asker, introspection)) == "DOCUMENT_NOT_TRUSTED"
        # Servers hear of what is imported, and of what is forgotten.
        other = manifest(tmp_path / "other.json", LONG)
        command("documents", "import", "--only", str(other), database_url=url)
        deadline = time.monotonic() + 10
        while "data" not in post(asker, {"documentId": digest(LONG)}).json():
            assert time.monotonic() < deadline
        refused = post(asker, {"documentId": digest(TEXT), "variables": CODE})
        assert code(refused) == "DOCUMENT_NOT_TRUSTED"


async def test_a_hash_that_is_not_that_of_its_text_cannot_be_stored(
    url: str, client: httpx.Client
) -> None:
    async with connected(url) as connection:
        with pytest.raises(Exception, match="trusted_documents_check"):
            await connection.execute(
                "insert into trusted_documents (hash, text) values (repeat('0', 64), '{ a }')"
            )


# Compression


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br;q=1, gzip;q=0.5", "br"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("*", "zstd"),
        ("identity", None),
        ("zstd;q=0, deflate", None),
        ("", None),
        ("zstd;q=x", None),
    ],
)
def test_an_answer_is_compressed_as_the_client_likes_it(
    client: httpx.Client, accepted: str, encoding: str | None
) -> None:
    plain = client.get("/graphql", params={"query": LONG}, headers={"accept-encoding": "identity"})
    # A second time it is one that was kept.
    for _ in range(2):
        with client.stream(
            "GET", "/graphql", params={"query": LONG}, headers={"accept-encoding": accepted}
        ) as response:
            body = b"".join(response.iter_raw())
        assert response.headers.get("content-encoding") == encoding
        assert int(response.headers["content-length"]) == len(body)
        assert "accept-encoding" in response.headers["vary"]
        unpacked = {
            "gzip": gzip.decompress,
            "br": brotli.decompress,
            "zstd": zstandard.decompress,
            None: bytes,
        }[encoding](body)
        assert unpacked == plain.content
        if encoding:
            assert len(body) < len(plain.content) / 2
            assert response.headers["etag"] != plain.headers["etag"]
        known = {"accept-encoding": accepted, "if-none-match": response.headers["etag"]}
        assert client.get("/graphql", params={"query": LONG}, headers=known).status_code == 304


def test_a_small_answer_is_sent_as_it_is(client: httpx.Client) -> None:
    response = client.get("/graphql", params={"query": "{ __typename }"})
    assert "gzip" in response.request.headers["accept-encoding"]
    assert "content-encoding" not in response.headers
