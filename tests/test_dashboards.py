"""County and state dashboards, counted once more from the files and from checks of every age."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from graphql import GraphQLEnumType

from db.database import Database
from tests.db.scratch import CLOCK, connected, scratch, stopped
from tests.roads import ask, codes_of, data_of, the_graph
from tests.sheets import sheet

COUNTS = "total verified stale neverVerified"
Row = Mapping[str, Any]


def counties() -> Mapping[str, str]:
    """The FIPS codes by name."""
    return {row["name"]: row["fips"] for row in sheet("counties.csv")}


def directory_categories() -> Mapping[str, str]:
    """The wider category of each one of the directory."""
    rows = [*sheet("provider_categories.csv"), *sheet("added_categories.csv")]
    return {row["code"]: row["parent"] for row in rows if row.get("vocabulary") != "PROGRAM"}


def unserved(served: Iterable[str]) -> set[str]:
    """The categories of the directory that are neither among these nor wider than one of them."""
    wider = directory_categories()
    left = set(wider)
    for code in served:
        while code:
            left.discard(code)
            code = wider.get(code, "")
    return left


# The real directory, from its files


async def test_a_county_has_what_the_files_say(database: Database) -> None:
    offered: dict[str, Counter[str]] = defaultdict(Counter)
    sites: Counter[str] = Counter()
    for row in sheet("providers.csv"):
        sites[row["county"]] += 1
        offered[row["county"]].update(set(filter(None, row["categories"].split("|"))))
    prisons = Counter(
        row["county"] for row in [*sheet("institutions.csv"), *sheet("conservation_camps.csv")]
    )
    reentry: dict[str, set[str]] = defaultdict(set)
    for row in sheet("reentry_program_counties.csv"):
        reentry[row["county"]].add(row["slug"])
    text = f"""{{ counties(first: 100) {{ nodes {{
        name providerCount
        providers {{ totalCount }}
        institutions {{ totalCount }}
        serviceCounts {{ {COUNTS} verifiedShare staleShare }}
        servicesByCategory {{ category {{ code }} {COUNTS} verifiedShare staleShare }}
        categoriesWithoutActiveService {{ code }}
        reentryPrograms {{ nodes {{ slug }} }}
    }} }} }}"""
    nodes = (await data_of(database, text))["counties"]["nodes"]
    assert {node["name"] for node in nodes} == set(counties())
    for node in nodes:
        name = node["name"]
        assert node["providerCount"] == node["providers"]["totalCount"] == sites[name]
        assert node["institutions"]["totalCount"] == prisons[name]
        # Nobody has checked anything yet.
        share = {"verifiedShare": 0, "staleShare": 0}
        assert node["serviceCounts"] == {
            **tally(sites[name]),
            **(share if sites[name] else dict.fromkeys(share)),
        }
        expected = sorted(offered[name].items(), key=lambda item: (-item[1], item[0]))
        assert node["servicesByCategory"] == [
            {"category": {"code": code}, **tally(count), **share} for code, count in expected
        ]
        missing = {category["code"] for category in node["categoriesWithoutActiveService"]}
        assert missing == unserved(offered[name])
        slugs = {program["slug"] for program in node["reentryPrograms"]["nodes"]}
        assert slugs == reentry[name]


def tally(total: int, verified: int = 0, stale: int = 0) -> dict[str, int]:
    """So many services."""
    never = total - verified - stale
    return {"total": total, "verified": verified, "stale": stale, "neverVerified": never}


async def test_the_state_has_what_the_files_say(database: Database) -> None:
    rows = sheet("providers.csv")
    offered = Counter(
        code for row in rows for code in set(filter(None, row["categories"].split("|")))
    )
    text = f"""{{
        serviceCounts {{ {COUNTS} }}
        servicesByCategory {{ category {{ code }} {COUNTS} }}
    }}"""
    data = await data_of(database, text)
    assert data["serviceCounts"] == tally(len(rows))
    expected = sorted(offered.items(), key=lambda item: (-item[1], item[0]))
    assert data["servicesByCategory"] == [
        {"category": {"code": code}, **tally(count)} for code, count in expected
    ]


async def test_a_gap_of_many_counties_is_found_from_either_end(database: Database) -> None:
    text = """{
        counties(first: 100) {
            nodes { fips categoriesWithoutActiveService { code } }
            groupBy(keys: [CATEGORY_WITHOUT_ACTIVE_SERVICE], first: 100) {
                key { categoryWithoutActiveService { code } } count }
        }
        without: counties(
            filter: {categoriesWithoutActiveService: {some: {code: {eq: "LEGAL"}}}} first: 100
        ) { nodes { fips } }
        most: counties(orderBy: [{categoriesWithoutActiveService: {count: DESC}}], first: 1) {
            nodes { categoriesWithoutActiveService { code } } }
    }"""
    data = await data_of(database, text)
    gaps = {
        node["fips"]: {one["code"] for one in node["categoriesWithoutActiveService"]}
        for node in data["counties"]["nodes"]
    }
    assert {node["fips"] for node in data["without"]["nodes"]} == {
        fips for fips, codes in gaps.items() if "LEGAL" in codes
    }
    counted = Counter(code for codes in gaps.values() for code in codes)
    assert {
        group["key"]["categoryWithoutActiveService"]["code"]: group["count"]
        for group in data["counties"]["groupBy"]
    } == counted
    (most,) = data["most"]["nodes"]
    assert len(most["categoriesWithoutActiveService"]) == max(map(len, gaps.values()))


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Provider", {"COUNTY", "CATEGORY", "FRESHNESS_STATE", "LANGUAGE"}),
        ("Service", {"COUNTY", "CATEGORY", "FRESHNESS_STATE", "LANGUAGE"}),
        ("Program", {"COUNTY", "CATEGORY", "FRESHNESS_STATE", "AUDIENCE", "INSTITUTION"}),
        ("ProgramOffering", {"COUNTY", "CATEGORY", "FRESHNESS_STATE", "INSTITUTION"}),
        ("Institution", {"COUNTY", "PROGRAM_CATEGORY", "FRESHNESS_STATE"}),
        ("VisitorCenter", {"COUNTY", "AMENITY", "MISSING_SERVICE", "FRESHNESS_STATE"}),
        ("VisitorServiceGap", {"COUNTY", "AMENITY", "KIND", "INSTITUTION"}),
        ("ReentryProgram", {"COUNTY", "CATEGORY"}),
    ],
)
def test_a_list_falls_into_groups_of_what_its_records_have(name: str, keys: set[str]) -> None:
    """Inside nobody records languages, and nobody can check a reentry program yet."""
    offered = the_graph().schema.type_map[f"{name}GroupBy"]
    assert isinstance(offered, GraphQLEnumType)
    assert keys <= set(offered.values)


# Unknown and malformed counties


@pytest.mark.parametrize("fips", ["06999", "99999", "00000"])
async def test_a_county_that_does_not_exist_is_null(fips: str, database: Database) -> None:
    text = "query ($fips: String!) { county(fips: $fips) { name providerCount } }"
    assert await data_of(database, text, {"fips": fips}) == {"county": None}


@pytest.mark.parametrize(
    "fips", ["", "6037", "060370", "Fresno", "06037 ", "0603७", "'06037'", "%", "x" * 10_000]
)
async def test_what_is_no_fips_code_is_refused_by_name(fips: str, database: Database) -> None:
    text = "query ($fips: String!) { county(fips: $fips) { name } counties { totalCount } }"
    response = await ask(database, text, {"fips": fips})
    assert codes_of(response) == ["BAD_USER_INPUT"]
    assert response["errors"][0]["path"] == ["county"]
    assert "`fips`" in response["errors"][0]["message"]
    assert response["data"] == {"county": None, "counties": {"totalCount": 58}}


# Checks of every age, and services that are known to be closed

AWKWARD = """
update services s set status = (array[null, 'ACTIVE', 'INACTIVE', 'DEFUNCT', 'TEMPORARILY_CLOSED',
                                      'ACTIVE'])[1 + n % 6]
from (select id, row_number() over (order by name, id) n from services
      where county_fips in ('06073', '06083', '06001', '06075')) t where t.id = s.id;
insert into verifications (service_id, method, outcome, verified_at)
select id, 'PHONE', (array['CONFIRMED', 'CHANGED', 'UNREACHABLE', 'CLOSED'])[1 + n / 7 % 4],
       timestamptz 'CLOCK' - interval '15 days' * (n % 17) - interval '1 second' * (n / 3 % 2)
from (select id, row_number() over (order by id) n from services) t where n % 3 = 0;
insert into verifications (service_id, method, outcome, verified_at)
select id, 'WEBSITE', 'CONFIRMED', timestamptz 'CLOCK' - interval '200 days'
from (select id, row_number() over (order by id) n from services) t where n % 4 = 0;
""".replace("CLOCK", CLOCK)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def checked(loaded_url: str) -> AsyncIterator[tuple[Database, Sequence[Row]]]:
    """The directory with checks of every age; and its services, each with its categories."""
    async with scratch(loaded_url) as url:
        async with connected(url) as connection:
            await connection.execute(AWKWARD)
            services = await connection.fetch(
                "select s.id, county_fips, status, array(select category_code"
                " from service_categories where service_id = s.id) as categories from services s"
            )
            checks = await connection.fetch(
                "select service_id, outcome, verified_at from verifications order by verified_at"
            )
        findings = {
            row["service_id"]: row for row in checks if row["outcome"] != "UNREACHABLE"
        }  # the newest of each is kept
        opened = await Database.open(stopped(url))
        yield opened, [{**row, "state": state(findings.get(row["id"]))} for row in services]
        await opened.close()


def state(finding: Row | None) -> str:
    """How far a check can be trusted: 90 days, and as many again."""
    if finding is None:
        return "neverVerified"
    age = datetime.fromisoformat(f"{CLOCK}:00") - finding["verified_at"]
    old = finding["outcome"] == "CLOSED" or age > timedelta(days=180)
    return "stale" if old else "verified"


def counted(services: Iterable[Row]) -> dict[str, Any]:
    """The counts of these services."""
    states = Counter(row["state"] for row in services)
    total = sum(states.values())
    return {
        **tally(total, states["verified"], states["stale"]),
        "verifiedShare": states["verified"] / total if total else None,
        "staleShare": states["stale"] / total if total else None,
    }


async def test_what_is_closed_is_not_counted_and_what_was_checked_is(
    checked: tuple[Database, Sequence[Row]],
) -> None:
    database, services = checked
    text = f"""{{
        serviceCounts {{ {COUNTS} verifiedShare staleShare }}
        servicesByCategory {{ category {{ code }} {COUNTS} verifiedShare staleShare }}
        counties(first: 100) {{ nodes {{
            fips
            services {{ totalCount }}
            serviceCounts {{ {COUNTS} verifiedShare staleShare }}
            servicesByCategory {{ category {{ code }} {COUNTS} verifiedShare staleShare }}
            categoriesWithoutActiveService {{ code }}
        }} }}
    }}"""
    data = await data_of(database, text)
    listed = [row for row in services if row["status"] in (None, "ACTIVE")]
    assert len(listed) < len(services)
    assert {row["state"] for row in listed} == {"verified", "stale", "neverVerified"}
    everywhere = {"fips": None, "services": {"totalCount": len(listed)}}
    for node in [*data["counties"]["nodes"], {**data, **everywhere}]:
        here = [row for row in listed if node["fips"] in (None, row["county_fips"])]
        assert node["services"]["totalCount"] == len(here)
        assert node["serviceCounts"] == counted(here)
        by_category: dict[str, list[Row]] = defaultdict(list)
        for row in here:
            for code in row["categories"]:
                by_category[code].append(row)
        expected = sorted(by_category.items(), key=lambda item: (-len(item[1]), item[0]))
        assert node["servicesByCategory"] == [
            {"category": {"code": code}, **counted(rows)} for code, rows in expected
        ]
        if node["fips"]:
            missing = {one["code"] for one in node["categoriesWithoutActiveService"]}
            assert missing == unserved(by_category)


async def test_a_category_is_missing_when_its_last_service_closes(loaded_url: str) -> None:
    """And a wider one only when the last of the narrower ones does."""
    text = """{ county(fips: "06083") { categoriesWithoutActiveService { code } } }"""
    sober = """
        insert into service_categories (service_id, category_code)
        select id, 'HOUSING_SOBER_LIVING' from services
        where county_fips = '06083' and id in (
            select service_id from service_categories group by 1
            having array_agg(category_code) = array['LEGAL']) limit 1
    """
    close = """
        update services s set status = 'DEFUNCT'
        where county_fips = '06083' and exists (
            select from service_categories where service_id = s.id and category_code = $1)
    """

    async def missing(database: Database) -> set[str]:
        found = (await data_of(database, text))["county"]["categoriesWithoutActiveService"]
        return {one["code"] for one in found} & {"HOUSING", "HOUSING_SOBER_LIVING", "LEGAL"}

    async with scratch(loaded_url) as url, connected(url) as connection:
        opened = await Database.open(stopped(url))
        assert await missing(opened) == {"HOUSING_SOBER_LIVING"}
        await connection.execute(sober)
        assert await missing(opened) == set()
        await connection.execute(close, "HOUSING")
        assert await missing(opened) == set()
        await connection.execute(close, "LEGAL")
        assert await missing(opened) == {"HOUSING", "HOUSING_SOBER_LIVING", "LEGAL"}
        await opened.close()
