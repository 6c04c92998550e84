"""The directory's files become rows: all of them, once, or none."""

from __future__ import annotations

import asyncio
import csv
import re
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import phonenumbers
import pytest
import pytest_asyncio

from db.data.load import DIRECTORY, LoadError, load
from db.errors import DatabaseUnavailable
from tests.db.scratch import Loaded, connected, everything, scratch


@pytest_asyncio.fixture(loop_scope="session")
async def directory(loaded_url: str) -> AsyncIterator[str]:
    """A database with the real directory, to do with as one likes."""
    async with scratch(loaded_url) as url:
        yield url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The directory's files, to be changed."""
    for file in DIRECTORY.glob("*.csv"):
        shutil.copy(file, tmp_path)
    return tmp_path


def sheet(file: str, folder: Path = DIRECTORY) -> list[dict[str, str]]:
    """The rows of a file, read without any of our code."""
    with (folder / file).open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def edit(folder: Path, file: str, **changes: Callable[[dict[str, str]], str]) -> None:
    """Write a file anew, with some columns changed."""
    rows = sheet(file, folder)
    with (folder / file).open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, **{name: change(row) for name, change in changes.items()}})


def where(key: str, is_: str, value: str, column: str) -> Callable[[dict[str, str]], str]:
    """A change of one row's cell."""
    return lambda row: value if row[key] == is_ else row[column]


async def rows(url: str, sql: str, *arguments: object) -> list[Any]:
    async with connected(url) as connection:
        return [tuple(row) for row in await connection.fetch(sql, *arguments)]


@pytest.mark.parametrize(
    ("table", "files_"),
    [
        ("counties", ["counties.csv"]),
        ("categories", ["provider_categories.csv", "added_categories.csv"]),
        ("activity_group_types", ["activity_group_types.csv"]),
        ("visitor_amenities", ["visitor_amenities.csv"]),
        ("meanings", ["meanings.csv"]),
        ("providers", ["providers.csv", "operators.csv"]),
        ("services", ["providers.csv"]),
        ("institutions", ["institutions.csv", "conservation_camps.csv"]),
        ("population_counts", ["institution_population.csv"]),
        ("visiting_statuses", ["visiting_status.csv"]),
        ("visitor_centers", ["visitor_centers.csv"]),
        ("visiting_facts", ["visiting_facts.csv"]),
        ("visiting_holidays", ["visiting_holidays.csv"]),
        ("programs", ["programs.csv"]),
        ("program_offerings", ["institution_programs.csv"]),
        ("reentry_programs", ["reentry_programs.csv"]),
        ("enum_values", ["enum_labels.csv"]),
    ],
)
async def test_every_row_of_a_file_is_a_row_of_its_table(
    loaded_url: str, table: str, files_: list[str]
) -> None:
    (counted,) = await rows(loaded_url, f"select count(*) from {table}")
    assert counted == (sum(len(sheet(file)) for file in files_),)


async def test_the_lists_of_a_provider_are_kept_whole(loaded_url: str) -> None:
    def listed(column: str) -> Counter[str]:
        return Counter(
            item for row in sheet("providers.csv") for item in row[column].split("|") if item
        )

    categories = await rows(
        loaded_url, "select category_code, count(*) from service_categories group by 1"
    )
    assert Counter(dict(categories)) == listed("categories")
    for column, source in (("languages", "languages"), ("serves", "serves")):
        counted = await rows(
            loaded_url, f"select item, count(*) from services, unnest({column}) item group by 1"
        )
        assert Counter(dict(counted)) == listed(source)
    offered = await rows(loaded_url, "select sum(cardinality(offers))::int from services")
    distinct = sum(
        len({item for item in row["services"].split("|") if item}) for row in sheet("providers.csv")
    )
    assert offered == [(distinct,)]


async def test_who_may_come_is_what_the_words_of_a_row_mean_and_no_more(loaded_url: str) -> None:
    meanings = sheet("meanings.csv")

    def meant(row: dict[str, str], criterion: str) -> list[str]:
        said = {
            "SERVES": [word for word in row["serves"].split("|") if word],
            "SERVICES": [word for word in row["services"].split("|") if word],
        }
        return sorted(
            {
                meaning["code"]
                for meaning in meanings
                if meaning["criterion"] == criterion
                and meaning["word"] in said[meaning["said_in"]]
                and (meaning["alone"] == "false" or len(said[meaning["said_in"]]) == 1)
            }
        )

    found = await rows(
        loaded_url,
        "select source_record_id, audience, audience_only, accepts_people_with_records, gender,"
        " referral_routes, fees, num_nonnulls(offence_exclusions, minimum_age, maximum_age,"
        " documents, conditions, noted_languages) from services",
    )
    known = {row["provider_id"]: row for row in sheet("providers.csv")}
    assert len(found) == len(known)
    for record, audience, only, accepted, gender, routes, fees, others in found:
        row = known[record]
        assert audience == (meant(row, "AUDIENCE") or None)
        assert only is None
        assert accepted is ({"ACCEPTED": True}.get("".join(meant(row, "RECORD"))))
        assert gender == ("".join(meant(row, "GENDER")) or None)
        assert routes == (meant(row, "REFERRAL") or None)
        assert fees == (meant(row, "FEES") or None)
        assert others == 0  # of which no source says anything
    assert sum(audience is not None for _, audience, *_ in found) > 300


async def test_every_word_with_a_meaning_is_said_by_some_row() -> None:
    said = {("SERVES", word) for row in sheet("providers.csv") for word in row["serves"].split("|")}
    said |= {
        ("SERVICES", word) for row in sheet("providers.csv") for word in row["services"].split("|")
    }
    for meaning in sheet("meanings.csv"):
        assert (meaning["said_in"], meaning["word"]) in said


async def test_a_meaning_that_nobody_knows_is_told_and_left_out(
    loaded_url: str, files: Path
) -> None:
    edit(
        files,
        "meanings.csv",
        code=where("word", "IMMIGRANTS", "MARTIANS", "code"),
        criterion=where("word", "STUDENTS", "WEATHER", "criterion"),
        alone=where("word", "HOMELESS", "perhaps", "alone"),
    )
    async with scratch(loaded_url) as url:
        report = await load(url, directory=files)
        left = await rows(
            url,
            "select count(*)::int from services"
            " where audience && array['IMMIGRANTS', 'STUDENTS', 'HOMELESS']"
            " and not offers && array['Homeless Recovery Services',"
            " 'Recovery for homeless after hospitalization']",
        )
    assert {(each.column, each.value) for each in report.rejections} == {
        ("code", "MARTIANS"),
        ("criterion", "WEATHER"),
        ("alone", "perhaps"),
    }
    assert all(each.file == "meanings.csv" and not each.row_kept for each in report.rejections)
    assert left == [(0,)]


async def test_when_one_can_enter_a_program_is_read_and_checked(
    loaded_url: str, files: Path
) -> None:
    edit(
        files,
        "reentry_programs.csv",
        entry_from_days=where("slug", "acp", "5", "entry_from_days"),
        referral_routes=where("slug", "stop", "SELF|WISHFUL", "referral_routes"),
    )
    async with scratch(loaded_url) as url:
        report = await load(url, directory=files)
        found = await rows(
            url,
            "select slug, entry_from_days, entry_to_days, referral_routes from reentry_programs"
            " where slug in ('acp', 'ctp', 'stop') order by slug",
        )
    assert found == [
        ("acp", None, None, None),
        ("ctp", -210, -180, None),
        ("stop", None, None, ["SELF"]),
    ]
    assert {(each.column, each.reason) for each in report.rejections} == {
        ("entry_from_days", "comes after entry_to_days"),
        ("referral_routes", "holds WISHFUL, which nobody knows"),
    }


async def test_exact_repeats_stay_as_they_are(loaded_url: str) -> None:
    seen = Counter(
        (row["name"], row["address_1"], row["city"])
        for row in sheet("providers.csv")
        if row["address_1"]
    )
    repeats = await rows(
        loaded_url,
        "select count(*) - count(distinct (p.name, l.street, coalesce(l.city, '')))"
        " from providers p join locations l on l.id = p.location_id where l.street <> ''",
    )
    assert repeats == [(seen.total() - len(seen),)]


async def test_an_unknown_status_is_never_closed(loaded_url: str) -> None:
    found = await rows(
        loaded_url,
        "select v.status from current_visiting_statuses v join institutions i"
        " on i.id = v.institution_id where i.code = 'SQ'",
    )
    assert found == [("UNKNOWN",)]


async def test_a_partial_date_says_how_much_of_it_is_known(loaded_url: str) -> None:
    closed = await rows(
        loaded_url,
        "select code, closed_on::text, closed_on_precision from institutions"
        " where code in ('CAC', 'CCC', 'CVSP') order by 1",
    )
    assert closed == [
        ("CAC", "2024-03-01", "MONTH"),
        ("CCC", "2023-01-01", "YEAR"),
        ("CVSP", "2024-11-01", "DAY"),
    ]


async def test_withheld_addresses_are_hidden_and_tell_the_public_nothing(loaded_url: str) -> None:
    withheld = [row for row in sheet("providers.csv") if row["address_published"] == "withheld"]
    hidden = await rows(
        loaded_url,
        "select p.source_record_id, l.city, p.slug, num_nonnulls(public_street, public_unit,"
        " public_city, public_county_fips, public_zip, public_latitude, public_longitude,"
        " public_transportation) from locations l join providers p on p.location_id = l.id"
        " where address_visibility = 'HIDDEN'",
    )
    assert {record: city for record, city, _, _ in hidden} == {
        row["provider_id"]: row["city"] for row in withheld
    }
    for _, city, slug, told in hidden:
        assert told == 0
        assert city.lower().replace(" ", "-") not in slug


async def test_a_place_shows_the_public_only_what_its_visibility_allows(directory: str) -> None:
    columns = "street, unit, city, county_fips, zip, latitude, longitude, transportation"
    public = ", ".join(f"public_{column}" for column in columns.split(", "))
    async with connected(directory) as connection:
        # Without triggers: what others keep of every place is not what is asked here.
        await connection.execute("set session_replication_role = 'replica'")
        await connection.execute(
            "update locations set unit = 'A', transportation = 'bus 9', county_fips = '06019',"
            " latitude = 36, longitude = -119, zip = '93721', city = 'Fresno', street = '1 Main St'"
        )
        for visibility, shown in (("PUBLIC", 8), ("CITY_ONLY", 2), ("HIDDEN", 0)):
            await connection.execute("update locations set address_visibility = $1", visibility)
            told = await connection.fetch(f"select distinct num_nonnulls({public}) from locations")
            assert [row[0] for row in told] == [shown]


async def test_phones_are_in_e164_and_read_back_as_the_source_has_them(loaded_url: str) -> None:
    expected = {
        row["provider_id"]: re.sub(r"\D", "", row["phone"])
        for row in sheet("providers.csv")
        if row["phone"]
    }
    found = await rows(
        loaded_url,
        "select p.source_record_id, h.number from phones h"
        " join providers p on p.id = h.provider_id",
    )
    assert {record: number.removeprefix("+1") for record, number in found} == expected
    for _, number in found:
        assert phonenumbers.is_valid_number(phonenumbers.parse(number))


async def test_every_row_points_to_a_source_that_keeps_its_licence(loaded_url: str) -> None:
    licences = dict(await rows(loaded_url, "select key, licence from sources"))
    above = ""
    for row in sheet("provider_sources.csv"):
        above = above if row["licence"] == "as above" else row["licence"]
        assert licences[row["source_key"]] == above
    by_source = await rows(
        loaded_url,
        "select s.key, count(*) from providers p join sources s on s.id = p.source_id"
        " where s.publisher is not null group by 1",
    )
    assert Counter(dict(by_source)) == Counter(row["source_key"] for row in sheet("providers.csv"))


async def test_a_source_is_read_where_its_citation_says_first(loaded_url: str) -> None:
    urls = dict(await rows(loaded_url, "select name, url from sources"))
    commit = "37069b1e809e2287cf3d4ecdab62c94fa8aa0218"
    for citation, url in {
        "https://cchcs.ca.gov/isudt/ ; openminds.com 2020-01-21": "https://cchcs.ca.gov/isudt/",
        "www.cdcr.ca.gov/Community_Partnerships/index.html": (
            "https://www.cdcr.ca.gov/Community_Partnerships/index.html"
        ),
        "mbecica/ca_prison_climate_justice cdcr_manual_data.csv (reentry_hub)": (
            "https://github.com/mbecica/ca_prison_climate_justice"
        ),
        "Thrive SBC resource database": (
            f"https://github.com/sbpublicdefendersoffice/sb_reentry_app/tree/{commit}/data"
        ),
        "California Penal Code 6351": None,
    }.items():
        assert urls[citation] == url


async def test_all_that_a_line_says_bears_its_date(loaded_url: str) -> None:
    made = await rows(
        loaded_url,
        "select p.source_date, p.source_date_precision, s.source_date, s.source_date_precision,"
        " l.source_date, l.source_date_precision, source_licence(p.source_id), k.licence"
        " from providers p join services s on s.provider_id = p.id"
        " join locations l on l.id = p.location_id join sources k on k.id = p.source_id"
        " where p.source_record_id = 'THRIVE-SB-169'",
    )
    (found,) = made
    assert [tuple(found)[n : n + 2] for n in (0, 2, 4)] == [(date(2021, 10, 1), "MONTH")] * 3
    assert found[6] == found[7] is not None


async def test_imports_count_each_file_for_each_source(loaded_url: str) -> None:
    counted = await rows(
        loaded_url,
        "select file, sum(rows_read)::int, sum(rows_inserted)::int from imports group by 1",
    )
    assert {file: (read, new) for file, read, new in counted} == {
        path.name: (len(sheet(path.name)),) * 2 for path in DIRECTORY.glob("*.csv")
    }


async def test_a_second_load_changes_nothing(directory: str) -> None:
    before = await everything(directory)
    report = await load(directory)
    assert await everything(directory) == before
    assert (
        report.total.unchanged
        == report.total.read
        == sum(len(sheet(path.name)) for path in DIRECTORY.glob("*.csv"))
    )


async def test_every_index_is_there_after_a_first_load(migrated_url: str, loaded_url: str) -> None:
    """They are made when all rows are there."""

    async def indexes(url: str) -> list[str]:
        async with connected(url) as connection:
            return [
                row["indexdef"]
                for row in await connection.fetch("select indexdef from pg_indexes order by 1")
            ]

    assert await indexes(loaded_url) == await indexes(migrated_url)


def test_the_real_files_have_nothing_to_reject(first_load: Loaded) -> None:
    report = first_load.report
    assert report.rejections == []
    assert report.total.inserted == report.total.read


async def test_two_loads_at_once_happen_one_after_the_other(migrated_url: str) -> None:
    async with scratch(migrated_url) as url:
        reports = await asyncio.gather(load(url), load(url))
    assert sorted(report.total.inserted > 0 for report in reports) == [False, True]
    assert sorted(report.total.unchanged > 0 for report in reports) == [False, True]


async def test_without_tables_it_says_what_to_do() -> None:
    async with scratch() as url:
        with pytest.raises(LoadError, match="migrations first"):
            await load(url)


async def test_without_a_database_it_says_so() -> None:
    with pytest.raises(DatabaseUnavailable):
        await load("postgresql://nobody@127.0.0.1:1/nothing")


def test_progress_ends_where_it_said_it_would(first_load: Loaded) -> None:
    told = first_load.progress
    assert list(told) == sorted(told)
    assert told[-1][0] == told[-1][1]


def _missing(path: Path) -> None:
    path.unlink()


def _without_a_column(path: Path) -> None:
    path.write_text(path.read_text("utf-8").replace("evidence", "proof", 1), "utf-8")


def _with_a_column_twice(path: Path) -> None:
    head, rest = path.read_text("utf-8").split("\n", 1)
    path.write_text(f"{head},evidence\n{rest}", "utf-8")


def _not_utf8(path: Path) -> None:
    path.write_bytes(path.read_bytes() + "CAL,isudt,2025,LISTED,Peña\n".encode("latin-1"))


def _nul(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"CAL,isudt,2025,LISTED,a\0b\n")


def _too_many_cells(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + "CAL,isudt,2025,LISTED,page,more\n", "utf-8")


def _too_few_cells(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + "CAL,isudt\n", "utf-8")


def _cut_off_in_a_quote(path: Path) -> None:
    path.write_text(path.read_text("utf-8") + 'CAL,isudt,2025,LISTED,"pa', "utf-8")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    "break_",
    [
        _missing,
        _without_a_column,
        _with_a_column_twice,
        _not_utf8,
        _nul,
        _too_many_cells,
        _too_few_cells,
        _cut_off_in_a_quote,
        _empty,
    ],
)
async def test_a_broken_file_changes_nothing_at_all(
    directory: str, files: Path, break_: Callable[[Path], None]
) -> None:
    edit(files, "institutions.csv", name=lambda row: row["name"] + " (renamed)")
    break_(files / "institution_programs.csv")
    before = await everything(directory)
    with pytest.raises(LoadError, match=r"institution_programs\.csv"):
        await load(directory, directory=files)
    assert await everything(directory) == before


async def test_what_a_constraint_refuses_changes_nothing_at_all(directory: str) -> None:
    async with connected(directory) as connection:
        await connection.execute(
            "update programs set slug = 'taken' where slug = 'isudt';"
            "delete from translations;"
            "delete from program_offerings;"
            "delete from program_categories;"
            "delete from programs where slug <> 'taken';"
            "update programs set id = gen_random_uuid(), slug = 'aa'"
        )
    before = await everything(directory)
    with pytest.raises(LoadError, match="programs"):
        await load(directory)
    assert await everything(directory) == before


# A file, one of its rows, a column, what is put there, the reason it is refused for, and whether
# the row is kept without it.
BAD = [
    ("providers.csv", "provider_id=THRIVE-SB-105", "phone", "(805) 963", "phone", True),
    ("providers.csv", "provider_id=THRIVE-SB-169", "phone", "call us", "phone", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "county", "Los Angles", "counties", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "latitude", "91", "number", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "longitude", "nan", "number", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "categories", "HUSING", "HUSING", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "website", "example", "address", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "zip", "9027", "zip", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "source_date", "2021-13", "date", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0413", "address_published", "?", "none of", True),
    ("providers.csv", "provider_id=SAMHSA-MH-0414", "name", "", "empty", False),
    ("providers.csv", "provider_id=SAMHSA-MH-0415", "source_key", "", "empty", False),
    ("institutions.csv", "code=FWF", "status", "SHUT", "none of", False),
    ("institutions.csv", "code=DVI", "status", "", "empty", False),
    ("institutions.csv", "code=CVSP", "opened_year", "1492", "whole number", True),
    ("institutions.csv", "code=CVSP", "design_capacity", "9" * 12, "whole number", True),
    ("institutions.csv", "code=CVSP", "closed_on", "2023-02-30", "calendar", True),
    ("institutions.csv", "code=CVSP", "security_levels", "V", "nobody knows", True),
    ("institutions.csv", "code=CVSP", "reentry_hub", "perhaps", "neither", True),
    ("visiting_status.csv", "institution_code=CMC", "last_updated", "soon", "time", False),
    ("visiting_status.csv", "institution_code=CTF", "institution_code", "XX", "not in", False),
    ("visitor_centers.csv", "institution_code=CAL", "opens_at", "25:00", "07:30", True),
    ("visitor_centers.csv", "institution_code=CAL", "operator", "Nobody", "operators", True),
    ("institution_population.csv", "month=2026-01", "in_custody", "-1", "whole", False),
    ("provider_categories.csv", "code=MEDI_CAL", "parent", "NOPE", "categories", True),
    ("reentry_programs.csv", "slug=stop", "residential", "perhaps", "none of", True),
    ("synonyms.csv", "code=HOUSE", "category", "HUSING", "categories", True),
    ("synonyms.csv", "code=SHELTER", "narrower", "perhaps", "neither", True),
    ("synonyms.csv", "code=VISIT", "record_type", "ROOM", "none of", True),
    ("synonyms.csv", "code=DENTIST", "record_type", "PROGRAM", "beside", True),
    ("synonyms.csv", "code=GED", "spanish", "GED|¡!", "no word", True),
    ("enum_labels.csv", "value=TOLL_FREE", "value", "toll free", "no value", False),
    ("enum_labels.csv", "value=HOTLINE", "method", "guess", "none of", False),
    ("enum_labels.csv", "value=TAPE_BRAILLE", "reviewed_at", "2026-06-01", "a time", True),
    ("translations.csv", "record=squires", "text", "", "empty", False),
]


LOST = {
    ("institutions", "FWF"),
    ("institutions", "DVI"),
    ("visiting_statuses", "CMC"),
    ("visiting_statuses", "CTF"),
}


async def test_refused_values_are_named_with_their_places_and_stop_nothing_else(
    directory: str, files: Path
) -> None:
    expected = []
    for file, key, column, value, reason, kept in BAD:
        name, _, is_ = key.partition("=")
        edit(files, file, **{column: where(name, is_, value, column)})
        expected += [
            (file, number, column, value, reason, kept)
            for number, row in enumerate(sheet(file), start=2)
            if row[name] == is_
        ]
    # Nor is there a translation of what is not there.
    expected += [
        ("translations.csv", number, "record", row["record"], "not in", False)
        for number, row in enumerate(sheet("translations.csv"), start=2)
        if (row["table"], row["record"]) in LOST
    ]
    report = await load(directory, directory=files)
    found = {(each.file, each.line, each.column): each for each in report.rejections}
    assert set(found) == {(file, line, column) for file, line, column, *_ in expected}
    for file, line, column, value, reason, kept in expected:
        rejection = found[file, line, column]
        assert (rejection.value, rejection.row_kept) == (value, kept)
        assert reason in rejection.reason
        assert f"{file}:{line}: {column} = " in str(report)
    lost = Counter(file for file, *_, kept in expected if not kept)
    assert {each.file: each.rejected for each in report.files if each.rejected} == lost
    for each in report.files:
        assert each.read == sum(each.counts[1:])


async def test_an_address_that_cannot_be_read_as_published_is_hidden(
    directory: str, files: Path
) -> None:
    edit(
        files,
        "providers.csv",
        address_published=where("provider_id", "SAMHSA-MH-0413", "yes", "address_published"),
    )
    await load(directory, directory=files)
    found = await rows(
        directory,
        "select address_visibility, public_street from locations"
        " where source_record_id = 'providers/SAMHSA-MH-0413'",
    )
    assert found == [("HIDDEN", None)]


async def test_a_record_that_is_listed_twice_is_loaded_once(directory: str, files: Path) -> None:
    path = files / "programs.csv"
    again = next(line for line in path.read_text("utf-8").split("\n") if line.startswith("gogi,"))
    path.write_text(path.read_text("utf-8") + again + "\n", "utf-8")
    report = await load(directory, directory=files)
    (rejection,) = report.rejections
    assert (rejection.column, rejection.value) == ("slug", "gogi")
    assert rejection.reason.startswith("repeats line ")
    assert report.total.changed == report.total.inserted == 0


async def test_only_what_differs_is_changed(directory: str, files: Path) -> None:
    edit(
        files,
        "providers.csv",
        name=where("provider_id", "THRIVE-SB-105", "DVS", "name"),
        categories=where("provider_id", "THRIVE-SB-169", "HOUSING", "categories"),
        phone=where("provider_id", "SAMHSA-MH-0413", "", "phone"),
    )
    slugs = "select id, slug from providers order by 1"
    before = await rows(directory, slugs)
    report = await load(directory, directory=files)
    assert (report.total.changed, report.total.inserted) == (3, 0)
    assert await rows(directory, slugs) == before, "a link that somebody saved still works"
    moved = await rows(
        directory,
        "select p.source_record_id from providers p where updated_at > created_at"
        " union select p.source_record_id from services p where updated_at > created_at",
    )
    assert moved == [("THRIVE-SB-105",)]
    assert await rows(
        directory,
        "select category_code from service_categories c join services s on s.id = c.service_id"
        " where s.source_record_id = 'THRIVE-SB-169'",
    ) == [("HOUSING",)]
    assert (
        await rows(
            directory,
            "select number from phones h join providers p on p.id = h.provider_id"
            " where p.source_record_id = 'SAMHSA-MH-0413'",
        )
        == []
    )
    imports = await rows(
        directory,
        "select rows_changed from imports where file = 'providers.csv' and rows_changed > 0",
    )
    assert sum(changed for (changed,) in imports) == 3


async def test_a_phone_that_was_added_by_hand_stays(directory: str) -> None:
    async with connected(directory) as connection:
        await connection.execute(
            "insert into phones (id, number, kind, provider_id, source_id)"
            " select gen_random_uuid(), '+18055551234', 'VOICE', id, source_id"
            " from providers limit 1"
        )
    before = await everything(directory)
    await load(directory)
    assert await everything(directory) == before


async def test_what_was_said_about_visiting_is_never_rewritten(directory: str, files: Path) -> None:
    edit(files, "visiting_status.csv", status=where("institution_code", "CMC", "CLOSED", "status"))
    await load(directory, directory=files)
    said = await rows(
        directory,
        "select v.status from visiting_statuses v join institutions i on i.id = v.institution_id"
        " where i.code = 'CMC' order by v.created_at",
    )
    holds = await rows(
        directory,
        "select v.status from current_visiting_statuses v join institutions i"
        " on i.id = v.institution_id where i.code = 'CMC'",
    )
    assert said == [("OPEN",), ("CLOSED",)]
    assert holds == [("CLOSED",)]
    async with connected(directory) as connection:
        for statement in (
            "update visiting_statuses set status = 'OPEN'",
            "delete from visiting_statuses",
            "truncate visiting_statuses cascade",
        ):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await connection.execute(statement)


async def test_offerings_of_a_closed_institution_have_ended(loaded_url: str) -> None:
    ended = await rows(
        loaded_url,
        "select distinct i.code from program_offerings o join institutions i"
        " on i.id = o.institution_id where o.status = 'ENDED'",
    )
    closed = {row["code"] for row in sheet("institutions.csv") if row["status"] == "CLOSED"}
    offered = {row["institution_code"] for row in sheet("institution_programs.csv")}
    assert {code for (code,) in ended} == closed & offered


async def test_ids_are_the_same_on_every_machine(loaded_url: str) -> None:
    found = await rows(loaded_url, "select id::text from institutions where code = 'SQ'")
    assert found == [("8a811c7b-5d93-5bbe-bdd3-68153f9d8af6",)]
