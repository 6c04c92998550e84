"""GraphiQL: its example operations, its files, and the page in a real Chromium."""

from __future__ import annotations

import asyncio
import json
import re
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio

from db import api_keys
from tests.browser import CHROMIUM, Page, browser
from tests.db.scratch import connected, scratch
from tests.serving import ROOT, Serving, serving
from web.graphiql import DIRECTORY, Example, examples

SCREENSHOTS = ROOT / "build"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(loaded_url: str) -> AsyncIterator[str]:
    async with scratch(loaded_url) as made:
        yield made


@pytest.fixture(scope="module")
def server(url: str) -> Iterator[Serving]:
    with serving(database_url=url, environment="production") as running:
        yield running


# Examples


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.title)
def test_an_example_has_an_answer(server: Serving, example: Example) -> None:
    response = httpx.post(
        f"{server.url}/graphql",
        json={"query": example.query, "variables": json.loads(example.variables or "{}")},
        headers={"accept": "application/graphql-response+json"},
    )
    assert response.status_code == 200, response.text
    for root, found in response.json()["data"].items():
        assert found, root
        assert found.get("totalCount", 1) > 0, root


def test_each_audience_has_examples() -> None:
    assert {example.audience for example in examples()} == {"Family", "Partner", "Staff"}


def test_an_example_says_whom_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "nameless.graphql").write_text("{ __typename }")
    with pytest.raises(ValueError, match=r"nameless\.graphql"):
        examples(tmp_path)


# Files


def test_people_get_the_page_and_programs_get_answers(server: Serving) -> None:
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    for path in ("/graphql", "/graphql?query=%7B__typename%7D"):
        page = httpx.get(server.url + path, headers={"accept": accept})
        assert page.headers["content-type"].startswith("text/html")
        assert "accept" in page.headers["vary"]
    answer = httpx.get(server.url + path)
    assert answer.json() == {"data": {"__typename": "Query"}}


def test_an_example_cannot_break_out_of_the_page(server: Serving) -> None:
    page = httpx.get(f"{server.url}/graphql", headers={"accept": "text/html"}).text
    (data,) = re.findall(r'<script type="application/json" id="examples">(.*?)</script>', page)
    assert "<" not in data
    assert json.loads(data)[0]["title"] == examples()[0].title


def test_the_page_may_only_load_what_is_ours(server: Serving) -> None:
    page = httpx.get(f"{server.url}/graphql", headers={"accept": "text/html"})
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "http" not in policy


def test_a_browser_keeps_the_files_for_good(server: Serving) -> None:
    page = httpx.get(f"{server.url}/graphql", headers={"accept": "text/html"})
    files = re.findall(r'(?:src|href)="(/graphiql/[^"]+)"', page.text)
    assert len(files) >= 3
    for file in files:
        response = httpx.get(server.url + file)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert re.search(r"-[\w-]{8}\.\w+$", file)


def test_files_are_sent_compressed(server: Serving) -> None:
    largest = max((DIRECTORY / "dist").glob("*.js"), key=lambda file: file.stat().st_size)
    url = f"{server.url}/graphiql/{largest.name}"
    with httpx.stream("GET", url, headers={"accept-encoding": "gzip"}) as response:
        assert response.headers["content-encoding"] == "gzip"
        sent = sum(len(chunk) for chunk in response.iter_raw())
    assert sent < largest.stat().st_size / 3


# The page

LOADED = "document.querySelector('.graphiql-query-editor .view-line')"
RUN = "document.querySelector('.graphiql-execute-button').click()"
ANSWER = "(document.querySelector('.graphiql-response .view-lines')?.innerText ?? '')"
TABS = "[...document.querySelectorAll('.graphiql-tab-button')].map((tab) => tab.innerText)"


@pytest.fixture
def chromium() -> None:
    if CHROMIUM is None:
        warnings.warn(
            "THE BROWSER TESTS DID NOT RUN: install Chromium (on Debian: apt install chromium).",
            stacklevel=1,
        )
        pytest.skip("no Chromium")
    SCREENSHOTS.mkdir(exist_ok=True)


async def opened(page: Page, url: str) -> None:
    await page.call("Page.navigate", url=url)
    await page.until(LOADED)


@pytest.mark.usefixtures("chromium")
@pytest.mark.filterwarnings("default:THE BROWSER TESTS")
async def test_the_page_opens_with_an_example_and_runs_it(server: Serving) -> None:
    async with browser() as page:
        await opened(page, f"{server.url}/graphql")
        assert await page.evaluate("document.title") == "Community Resources Directory · GraphiQL"
        firsts = {each.audience: each.query for each in reversed(examples())}
        names = [re.search(r"query (\w+)", firsts[each]) for each in ("Family", "Partner", "Staff")]
        assert await page.evaluate(TABS) == [name[1] for name in names if name]
        await page.until("document.querySelector('.graphiql-explorer-root')")
        await page.evaluate(RUN)
        await page.until(f"{ANSWER}.includes('Pelican')")
        SCREENSHOTS.joinpath("graphiql.png").write_bytes(await page.screenshot())

        # Another example, in a tab of its own, with its variables.
        await page.evaluate("document.querySelector('[aria-label=\"Show Examples\"]').click()")
        await page.until("document.querySelector('.examples button')")
        number = [each.title for each in examples()].index("Where help is, and where it is missing")
        await page.evaluate(f"document.querySelectorAll('.examples button')[{number}].click()")
        await page.until(f"{TABS}.length === 4")
        await page.evaluate(RUN)
        await page.until(f"{ANSWER}.includes('groupBy')")
        SCREENSHOTS.joinpath("graphiql-examples.png").write_bytes(await page.screenshot())

        assert page.complaints == []
        hosts = {urlsplit(url).netloc for url in page.requests if not url.startswith("data:")}
        assert hosts == {urlsplit(server.url).netloc}
        assert any("worker" in url for url in page.requests)


@pytest.mark.usefixtures("chromium")
@pytest.mark.filterwarnings("default:THE BROWSER TESTS")
async def test_a_link_opens_the_operation_it_carries(server: Serving) -> None:
    async with browser() as page:
        query = "query Linked($code: String!) { institution(code: $code) { code } }"
        link = urlencode({"query": query, "variables": '{"code": "SQ"}'})
        await opened(page, f"{server.url}/graphql?{link}")
        assert await page.evaluate(TABS) == ["Linked"]
        await page.evaluate(RUN)
        await page.until(f"{ANSWER}.includes('SQ')")
        assert page.complaints == []


@pytest.mark.usefixtures("chromium")
@pytest.mark.filterwarnings("default:THE BROWSER TESTS")
async def test_the_page_follows_what_changes(server: Serving, url: str) -> None:
    something = "update counties set updated_at = clock_timestamp() where fips = '06037'"
    async with browser() as page, connected(url) as writer:
        query = "subscription Followed { entityChanged(types: [COUNTY]) { operation id } }"
        await opened(page, f"{server.url}/graphql?{urlencode({'query': query})}")
        await page.evaluate(RUN)
        # When it begins to follow, the page does not say; so something changes until it hears.
        async with asyncio.timeout(60):
            while not await page.evaluate(f"{ANSWER}.includes('County:06037')"):
                await writer.execute(something)
                await asyncio.sleep(0.2)
        SCREENSHOTS.joinpath("graphiql-followed.png").write_bytes(await page.screenshot())
        assert page.complaints == []


HEADERS = "[...document.querySelectorAll('.graphiql-editor-tools button')][1].click()"
EDITOR = "document.querySelector('.graphiql-query-editor textarea')"
HEADER_EDITOR = (
    "document.querySelector('.graphiql-editor-tool .graphiql-editor:not(.hidden) textarea')"
)
EXPLORER = "(document.querySelector('.graphiql-explorer-root')?.innerText ?? '')"

CREATE = """mutation Made {
  createProvider(input: {slug: "by-graphiql", name: "By GraphiQL"}) {
    provider { slug name }
    userErrors { path code message }
  }
}"""
SECRET = """subscription Secret {
  entityChanged(types: [LOCATION]) {
    node { ... on Location { id confidential { street } } }
  }
}"""


@pytest.mark.usefixtures("chromium")
@pytest.mark.filterwarnings("default:THE BROWSER TESTS")
async def test_staff_work_with_their_key(server: Serving, url: str) -> None:
    key = await api_keys.create(url, "Ana", "STAFF", ["READ", "WRITE"])
    async with browser() as page, connected(url) as writer:
        await opened(page, f"{server.url}/graphql?{urlencode({'query': '{ me { role } }'})}")
        await page.until(f"{EXPLORER}.includes('counties')")
        assert "duplicateCandidates" not in await page.evaluate(EXPLORER)

        # Their schema comes by itself.
        await page.evaluate(HEADERS)
        await page.until(HEADER_EDITOR)
        await page.enter(HEADER_EDITOR, json.dumps({"Authorization": f"Bearer {key}"}))
        await page.until(f"{EXPLORER}.includes('duplicateCandidates')")
        await page.evaluate(RUN)
        await page.until(f"{ANSWER}.includes('STAFF')")

        await page.enter(EDITOR, CREATE)
        await page.until(f"{EXPLORER}.includes('createProvider')")
        await page.evaluate(RUN)
        await page.until(f"{ANSWER}.includes('by-graphiql')")
        SCREENSHOTS.joinpath("graphiql-staff.png").write_bytes(await page.screenshot())

        live = 'query Live @live { provider(slug: "by-graphiql") { name history { totalCount } } }'
        await page.enter(EDITOR, live)
        await page.until(f"{TABS}[0] === 'Live'")
        await page.evaluate(RUN)
        await page.until(f"{ANSWER}.includes('totalCount')")
        await writer.execute("update providers set name = 'Renamed' where slug = 'by-graphiql'")
        await page.until(f"{ANSWER}.includes('Renamed')")
        await page.evaluate(RUN)  # and that is enough

        await page.enter(EDITOR, SECRET)
        await page.until(f"{TABS}[0] === 'Secret'")
        await page.evaluate(RUN)
        something = (
            "update locations set updated_at = clock_timestamp()"
            " where id = (select id from locations where street is not null order by id limit 1)"
        )
        async with asyncio.timeout(60):
            while not await page.evaluate(f"{ANSWER}.includes('street')"):
                await writer.execute(something)
                await asyncio.sleep(0.2)
        assert page.complaints == []

        # Whoever comes next to this browser finds no key in it.
        assert "by-graphiql" in await page.evaluate("JSON.stringify(localStorage)")
        assert key not in await page.evaluate("JSON.stringify(localStorage)")

        # When it is revoked, they read why nothing more comes.
        await writer.execute("update api_keys set revoked_at = now() where ending = $1", key[-4:])
        await page.until(f"{ANSWER}.includes('4401') && {ANSWER}.includes('revoked')")
        await page.evaluate(RUN)
        await page.until(f"{ANSWER}.includes('4403')")
