"""Ten thousand changes at once, with conflicts and kills: nothing is lost, and nothing is doubled.

Two real servers share one Postgres, whose sessions are ended several times a second; one of the
servers is killed half way; clients hang up before they are answered. Whoever has no answer asks
again, with the same `idempotencyKey`, whichever server there is. Then Postgres is asked.

What is counted is what the change log has a line for: a record that was created or updated, alone,
by one of several root fields, as one of many rows, or below the record that owns it. Of these there
are more than ten thousand, and all were acknowledged to a client, each exactly once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx
import pytest_asyncio

from db import api_keys
from tests.db.scratch import connected, scratch
from tests.serving import Serving, serving

SOURCE = "00000000-0000-0000-0000-000000000001"

COUNTERS = 20
RAISES = 16  # of each counter, one at a time
FOURS = 60  # operations that raise four counters, or none of them
ALL = 20  # operations that raise as many of all counters as they can
NESTS, NESTED = 42, 20  # providers, each with two phones, a service and a document that it asks for
BULKS, ROWS = 29, 100  # rows that are added, and then changed
CONTESTED = 8  # of these operations, of which others want a quarter at the same time
CLIENTS = 10

# What says that nobody knows, or that it was not done: ask again.
AGAIN = {
    "DATABASE_BUSY",
    "DATABASE_UNAVAILABLE",
    "IDENTITY_UNAVAILABLE",
    "OUTCOME_UNKNOWN",
    "SHUTTING_DOWN",
    "STATEMENT_TIMEOUT",
}


NAMES = ("ana", "bo", "cy")
RAISE = """mutation ($input: UpdateProgramOfferingInput!) {
  raised: updateProgramOffering(input: $input) { ...told }
} fragment told on ProgramOfferingPayload {
  programOffering { capacity version }
  conflict { current { capacity version } }
  userErrors { path code }
}"""
RAISE_FOUR = """mutation (
  $a: UpdateProgramOfferingInput!, $b: UpdateProgramOfferingInput!
  $c: UpdateProgramOfferingInput!, $d: UpdateProgramOfferingInput!
) {
  a: updateProgramOffering(input: $a) { ...told } b: updateProgramOffering(input: $b) { ...told }
  c: updateProgramOffering(input: $c) { ...told } d: updateProgramOffering(input: $d) { ...told }
} fragment told on ProgramOfferingPayload {
  programOffering { capacity version }
  conflict { current { capacity version } }
  userErrors { path code }
}"""
RAISE_ALL = """mutation ($input: UpdateProgramOfferingsInput!) {
  raised: updateProgramOfferings(input: $input) { results {
    programOffering { capacity version }
    conflict { current { capacity version } }
    userErrors { path code }
  } }
}"""
NEST = """mutation ($input: CreateProvidersInput!) {
  made: createProviders(input: $input) { results {
    provider {
      id slug version phones { number }
      services { nodes { name requiredDocuments { document } categories { nodes { code } } } }
    }
    userErrors { path code }
  } }
}"""
CREATE = """mutation ($input: CreateProvidersInput!) { made: createProviders(input: $input) {
  results { provider { id slug version } userErrors { path code } }
} }"""
UPDATE = """mutation ($input: UpdateProvidersInput!) { made: updateProviders(input: $input) {
  results { provider { id name version } userErrors { path code } }
} }"""

BELOW = {
    "phones": [
        {"number": "+15595550100", "kind": "VOICE"},
        {"number": "+15595550101", "kind": "FAX"},
    ],
    "services": [
        {
            "name": "Meals",
            "categories": ["Category:FOOD"],
            "requiredDocuments": [{"document": "PHOTO_ID"}],
        }
    ],
}
WITH_ALL_BELOW = {
    ("providers", "INSERT"): 1,
    ("phones", "INSERT"): 2,
    ("services", "INSERT"): 1,
    ("required_documents", "INSERT"): 1,
    ("service_categories", "INSERT"): 1,
}


@dataclass
class Crowd:
    """Many clients of the same servers, and what they were told."""

    servers: list[str]
    keys: Sequence[str]
    http: httpx.AsyncClient
    chance: random.Random
    # The capacity and the version of each counter, as they were seen last.
    seen: dict[str, tuple[int, int]]
    # What the change log has to have, by table and operation.
    lines: Counter[tuple[str, str]] = field(default_factory=Counter)
    raised: Counter[str] = field(default_factory=Counter)
    # The ids and names of providers that were acknowledged, by slug.
    providers: dict[str, tuple[str, str]] = field(default_factory=dict)
    # The words, and by whom, of which it was said that they are done.
    words: list[tuple[str, str]] = field(default_factory=list)
    told_so: Counter[str] = field(default_factory=Counter)
    drawn: int = 0

    def word(self) -> str:
        """A word of its own for a change."""
        self.drawn += 1
        return f"word-{self.drawn}"

    async def told(self, key: str, text: str, variables: Mapping[str, object]) -> Any:
        """What an operation is answered in the end, however often it has to be asked."""
        for _ in range(1000):
            server = self.chance.choice(self.servers)
            # Some hang up before they are answered.
            hurried = self.chance.random() < 0.1
            patience = self.chance.uniform(0.0, 0.1) if hurried else 30.0
            try:
                async with asyncio.timeout(patience):
                    response = await self.http.post(
                        f"{server}/graphql",
                        json={"query": text, "variables": variables},
                        headers={"authorization": f"Bearer {key}"},
                    )
            except (httpx.TransportError, TimeoutError) as error:
                self.told_so[type(error).__name__] += 1
                await asyncio.sleep(0.02)
                continue
            answer = response.json()
            if "errors" not in answer:
                return answer["data"]
            codes = {each["extensions"]["code"] for each in answer["errors"]}
            assert codes <= AGAIN, answer
            self.told_so.update(codes)
            await asyncio.sleep(0.02)
        raise AssertionError("It was never answered.")

    def asker(self) -> tuple[str, str]:
        """A name and its key."""
        number = self.chance.randrange(len(NAMES))
        return NAMES[number], self.keys[number]

    def done(self, name: str, *words: str) -> None:
        self.words += [(name, word) for word in words]

    # What clients do

    async def raise_one(self, counter: str) -> None:
        """Read, add one, write if nobody else has written meanwhile."""
        (name, key), word = self.asker(), self.word()
        while True:
            input_ = self._raise(counter) | {"idempotencyKey": word}
            told = (await self.told(key, RAISE, {"input": input_}))["raised"]
            self._saw(counter, told)
            if not told["userErrors"]:
                break
            self.told_so["CONFLICT"] += 1
            assert [each["code"] for each in told["userErrors"]] == ["CONFLICT"]
        assert told["programOffering"]["capacity"] == input_["capacity"]
        self.done(name, word)
        self._raised(counter)

    async def raise_four(self, counters: Sequence[str]) -> None:
        """Four at once, in any order: all of them, or none."""
        (name, key), words = self.asker(), [self.word() for _ in counters]
        while True:
            pairs = zip(counters, words, strict=True)
            inputs = [self._raise(counter) | {"idempotencyKey": word} for counter, word in pairs]
            told = await self.told(key, RAISE_FOUR, dict(zip("abcd", inputs, strict=True)))
            for counter, each in zip(counters, told.values(), strict=True):
                self._saw(counter, each)
            codes = [error["code"] for each in told.values() for error in each["userErrors"]]
            if not codes:
                break
            self.told_so["CONFLICT"] += 1
            assert sorted(codes) == ["CONFLICT", *["ROLLED_BACK"] * 3]
            assert not any(each["programOffering"] for each in told.values())
        self.done(name, *words)
        for counter in counters:
            self._raised(counter)

    async def raise_all(self, counters: Sequence[str]) -> None:
        """As many as nobody else has raised meanwhile, and then the rest."""
        rest = list(counters)
        while rest:
            (name, key), word = self.asker(), self.word()
            rows = [self._raise(counter) for counter in rest]
            input_ = {"rows": rows, "idempotencyKey": word}
            told = (await self.told(key, RAISE_ALL, {"input": input_}))["raised"]["results"]
            self.done(name, word)
            again = []
            for counter, each in zip(rest, told, strict=True):
                self._saw(counter, each)
                if each["userErrors"]:
                    assert [error["code"] for error in each["userErrors"]] == ["CONFLICT"]
                    self.told_so["CONFLICT"] += 1
                    again.append(counter)
                else:
                    self._raised(counter)
            rest = again

    def _raise(self, counter: str) -> dict[str, Any]:
        capacity, version = self.seen[counter]
        return {"id": counter, "ifVersion": version, "capacity": capacity + 1}

    def _saw(self, counter: str, told: Mapping[str, Any]) -> None:
        now = told["programOffering"] or (told["conflict"] or {}).get("current")
        if now and now["version"] > self.seen[counter][1]:
            self.seen[counter] = (now["capacity"], now["version"])

    def _raised(self, counter: str) -> None:
        self.raised[counter] += 1
        self.lines["program_offerings", "UPDATE"] += 1

    async def nest(self, slugs: Sequence[str]) -> None:
        """Add providers with what belongs to them; some send it twice at once, with one word."""
        (name, key), word = self.asker(), self.word()
        rows = [{"slug": slug, "name": slug, **BELOW} for slug in slugs]
        input_ = {"rows": rows, "idempotencyKey": word}
        times = 2 if self.chance.random() < 0.2 else 1
        answers = await asyncio.gather(
            *(self.told(key, NEST, {"input": input_}) for _ in range(times))
        )
        assert all(answer == answers[0] for answer in answers)
        for slug, told in zip(slugs, answers[0]["made"]["results"], strict=True):
            assert told["userErrors"] == []
            found = told["provider"]
            assert (found["slug"], len(found["phones"])) == (slug, 2)
            (service,) = found["services"]["nodes"]
            assert len(service["requiredDocuments"]) == len(service["categories"]["nodes"]) == 1
            assert slug not in self.providers
            self.providers[slug] = (found["id"], slug)
            self.lines.update(WITH_ALL_BELOW)
        self.done(name, word)

    async def bulk(self, number: int) -> None:
        """Add rows, and change them; of some, two clients want to be the first at the same time."""
        slugs = [f"bulk-{number}-{row}" for row in range(ROWS)]
        twice = number < CONTESTED
        same = self.chance.sample(slugs, k=ROWS // 4) if twice else ()
        await asyncio.gather(*(self._create(each) for each in (slugs, same) if each))
        assert self.providers.keys() >= set(slugs)
        await asyncio.gather(*(self._update(each) for each in (slugs, same) if each))

    async def _create(self, slugs: Sequence[str]) -> None:
        (name, key), word = self.asker(), self.word()
        rows = [{"slug": slug, "name": slug} for slug in slugs]
        input_ = {"rows": rows, "idempotencyKey": word}
        results = (await self.told(key, CREATE, {"input": input_}))["made"]["results"]
        self.done(name, word)
        for slug, told in zip(slugs, results, strict=True):
            if told["userErrors"]:
                assert [each["code"] for each in told["userErrors"]] == ["TAKEN"]
                self.told_so["TAKEN"] += 1
                continue
            assert slug not in self.providers, "It was said to two that they have created it."
            self.providers[slug] = (told["provider"]["id"], slug)
            self.lines["providers", "INSERT"] += 1

    async def _update(self, slugs: Sequence[str]) -> None:
        (name, key), word = self.asker(), self.word()
        rows = [
            {"id": self.providers[slug][0], "ifVersion": 1, "name": f"{slug} by {word}"}
            for slug in slugs
        ]
        input_ = {"rows": rows, "idempotencyKey": word}
        results = (await self.told(key, UPDATE, {"input": input_}))["made"]["results"]
        self.done(name, word)
        for slug, row, told in zip(slugs, rows, results, strict=True):
            if told["userErrors"]:
                assert [each["code"] for each in told["userErrors"]] == ["CONFLICT"]
                self.told_so["CONFLICT"] += 1
                continue
            assert told["provider"]["version"] == 2
            id_, before = self.providers[slug]
            assert before == slug, "It was said to two that they have changed version 1."
            self.providers[slug] = (id_, str(row["name"]))
            self.lines["providers", "UPDATE"] += 1


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def url(migrated_url: str) -> AsyncIterator[str]:
    async with scratch(migrated_url) as made:
        async with connected(made) as connection:
            await connection.execute(
                f"""
                insert into sources (id, key, name) values ('{SOURCE}', 'TEST', 'A test');
                insert into programs (id, slug, name, source_id)
                    values (gen_random_uuid(), 'counted', 'Counted', '{SOURCE}');
                insert into institutions (id, code, name, institution_type, status, source_id)
                    select gen_random_uuid(), 'I' || n, 'I ' || n, 'STATE_PRISON', 'OPEN',
                    '{SOURCE}' from generate_series(1, {COUNTERS}) n;
                insert into program_offerings
                    (id, program_id, institution_id, evidence, capacity, source_id)
                    select gen_random_uuid(), p.id, i.id, 'LISTED', 0, '{SOURCE}'
                    from programs p, institutions i;
                insert into categories (code, vocabulary, label_en, source_id)
                    values ('FOOD', 'DIRECTORY', 'Food', '{SOURCE}');
                """
            )
            # Deadlocks are found sooner than after a second, so that there is time for many.
            name = await connection.fetchval("select current_database()")
            await connection.execute(f"alter database {name} set deadlock_timeout = '50ms'")
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def crowd(url: str) -> AsyncIterator[Crowd]:
    """What was told to everybody, after all of it."""
    keys = [await api_keys.create(url, name, "STAFF", ["READ", "WRITE"]) for name in NAMES]
    settings = {"database_url": url, "environment": "production", "log_level": "critical"}
    limits = httpx.Limits(max_connections=2 * CLIENTS)
    async with connected(url) as connection:
        counters = await connection.fetch("select id from program_offerings order by id")
    seen = {f"ProgramOffering:{id_}": (0, 1) for (id_,) in counters}
    with serving(**settings) as one, serving(**settings) as other:
        async with httpx.AsyncClient(timeout=60, limits=limits) as http:
            made = Crowd([one.url, other.url], keys, http, random.Random(7), seen)
            # Each server makes the schema of staff when the first of them asks.
            await asyncio.gather(*(ready(http, server.url, keys[0]) for server in (one, other)))
            async with connected(url) as killer, asyncio.timeout(300):
                await work(made, other, killer)
        yield made


async def work(crowd: Crowd, mortal: Serving, killer: asyncpg.Connection) -> None:
    """Do all of it, so much at a time; whoever has done three things, ends a session."""
    counters = list(crowd.seen)
    waiting = [crowd.raise_one(counter) for counter in counters for _ in range(RAISES)]
    waiting += [crowd.raise_four(crowd.chance.sample(counters, k=4)) for _ in range(FOURS)]
    waiting += [crowd.raise_all(crowd.chance.sample(counters, k=COUNTERS)) for _ in range(ALL)]
    waiting += [
        crowd.nest([f"nested-{number}-{row}" for row in range(NESTED)]) for number in range(NESTS)
    ]
    waiting += [crowd.bulk(number) for number in range(BULKS)]
    crowd.chance.shuffle(waiting)
    half, alone = len(waiting) // 2, asyncio.Lock()

    async def client() -> None:
        while waiting:
            await waiting.pop()
            if len(waiting) % 3 == 0:
                async with alone:
                    crowd.told_so["KILLED"] += await killer.fetchval(KILL)
            if len(waiting) <= half and mortal.url in crowd.servers:
                crowd.servers.remove(mortal.url)
                mortal.process.kill()

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    try:
        await asyncio.gather(*clients)
    finally:
        for each in clients:
            each.cancel()
        for job in waiting:
            job.close()


async def ready(http: httpx.AsyncClient, server: str, key: str) -> None:
    headers = {"authorization": f"Bearer {key}"}
    answer = await http.post(
        f"{server}/graphql", json={"query": "{ me { role } }"}, headers=headers
    )
    assert answer.json() == {"data": {"me": {"role": "STAFF"}}}


# A session of the servers, one that is at work if there is any.
KILL = """
    select count(*) filter (where pg_terminate_backend(pid)) from (
        select pid from pg_stat_activity
        where application_name = 'directory' and datname = current_database()
        order by state = 'idle', random() limit 1) s
"""


async def asked(url: str, query: str, *arguments: object) -> Any:
    async with connected(url) as connection:
        return await connection.fetchval(query, *arguments)


async def test_there_were_conflicts_and_kills(crowd: Crowd) -> None:
    """Else the rest would say nothing."""
    assert sum(crowd.lines.values()) >= 10_000
    assert crowd.told_so["KILLED"] > 100
    assert crowd.told_so["CONFLICT"] > 100
    assert crowd.told_so["TAKEN"] == CONTESTED * ROWS // 4
    assert crowd.told_so["TimeoutError"] > 10
    assert crowd.told_so["OUTCOME_UNKNOWN"] + crowd.told_so["DATABASE_UNAVAILABLE"] > 10


async def test_the_log_has_what_was_acknowledged_and_nothing_else(url: str, crowd: Crowd) -> None:
    async with connected(url) as connection:
        rows = await connection.fetch(
            "select entity, operation, count(*) from changes where request is not null"
            # What is found by searching follows from the rest.
            " and entity not like 'search%' group by entity, operation"
        )
        wrong = await connection.fetchval(
            "select count(*) from changes where request is not null"
            " and (actor = any ($1) and role = 'STAFF') is not true",
            list(NAMES),
        )
        silent = await connection.fetchval(
            "select count(*) from changes where request is null and entity not like 'search%'"
        )
    # Whoever is the first to write makes staff a source.
    expected = crowd.lines + Counter({("sources", "INSERT"): 1})
    assert {(entity, operation): count for entity, operation, count in rows} == dict(expected)
    assert wrong == 0
    # What the test itself has put there.
    assert silent == 3 + 2 * COUNTERS


async def test_counters_say_how_often_they_were_raised(url: str, crowd: Crowd) -> None:
    async with connected(url) as connection:
        rows = await connection.fetch("select id, capacity, version from program_offerings")
    assert {f"ProgramOffering:{id_}": (capacity, version) for id_, capacity, version in rows} == {
        counter: (raised, raised + 1) for counter, raised in crowd.raised.items()
    }
    assert sum(crowd.raised.values()) == COUNTERS * (RAISES + ALL) + 4 * FOURS


async def test_each_provider_is_there_once_and_as_it_was_acknowledged(
    url: str, crowd: Crowd
) -> None:
    async with connected(url) as connection:
        rows = await connection.fetch("select slug, id, name from providers")
    assert len(rows) == NESTS * NESTED + BULKS * ROWS
    assert {slug: (f"Provider:{id_}", name) for slug, id_, name in rows} == crowd.providers


async def test_what_belongs_together_is_there_as_a_whole(url: str, crowd: Crowd) -> None:
    halves = await asked(
        url,
        """
        select count(*) from (
            select p.id, (p.slug like 'nested%')::int as n from providers p) p
        where (select count(*) from phones where provider_id = p.id) <> 2 * n
            or (select count(*) from services where provider_id = p.id) <> n
            or (select count(*) from required_documents d join services s on s.id = d.service_id
                where s.provider_id = p.id) <> n
            or (select count(*) from service_categories c join services s on s.id = c.service_id
                where s.provider_id = p.id) <> n
        """,
    )
    assert halves == 0
    for table, each in (("phones", 2), ("services", 1), ("required_documents", 1)):
        assert await asked(url, f"select count(*) from {table}") == each * NESTS * NESTED


async def test_versions_count_the_lines_of_the_log(url: str, crowd: Crowd) -> None:
    async with connected(url) as connection:
        tables = await connection.fetch(
            """
            select c.relname, k.attname from pg_class c
            join pg_attribute v on v.attrelid = c.oid and v.attname = 'version'
            join pg_index i on i.indrelid = c.oid and i.indisprimary
            join pg_attribute k on k.attrelid = c.oid and k.attnum = i.indkey[0]
            where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
            """
        )
        assert {"providers", "program_offerings", "services"} <= {name for name, _ in tables}
        for table, key in tables:
            wrong = await connection.fetchval(
                f"select count(*) from {table} t where version <> 1 + (select count(*) from changes"
                f" where entity = $1 and key = t.{key}::text and operation = 'UPDATE')",
                table,
            )
            assert wrong == 0, table


async def test_each_word_was_kept_once_with_its_answer(url: str, crowd: Crowd) -> None:
    async with connected(url) as connection:
        rows = await connection.fetch(
            "select a.name, k.key from idempotency_keys k join api_keys a on a.id::text = k.actor"
        )
        empty = await connection.fetchval(
            "select count(*) from idempotency_keys where answer is null"
        )
    assert Counter((name, key) for name, key in rows) == Counter(crowd.words)
    assert empty == 0
