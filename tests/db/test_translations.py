"""Everything that people read is there in Spanish, and nothing in it is out of date."""

from __future__ import annotations

import csv
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from graphql import GraphQLEnumType, is_introspection_type

from db.data.load import DIRECTORY, load
from db.database import Database
from resolvers.graph import Localized
from resolvers.resolve import GraphQLRequest, resolve
from schema.entity import Language
from tests.db.scratch import connected, everything, scratch
from tests.db.test_load import edit, rows, sheet, where
from tests.roads import the_graph


@pytest_asyncio.fixture(loop_scope="session")
async def directory(loaded_url: str) -> AsyncIterator[str]:
    """A database with the real directory, to do with as one likes."""
    async with scratch(loaded_url) as url:
        yield url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The directory's files, to be changed; without the providers, who take long to load."""
    for file in DIRECTORY.glob("*.csv"):
        shutil.copy(file, tmp_path)
    for name in ("providers.csv", "service_areas.csv"):
        emptied = tmp_path / name
        emptied.write_text(emptied.read_text("utf-8").split("\n")[0] + "\n", "utf-8")
    return tmp_path


# The schema's own, whose values are names of fields or ways to sort.
OURS = ("GroupBy", "SortDirection")


def enums() -> Iterator[GraphQLEnumType]:
    for name, type_ in the_graph().schema.type_map.items():
        if is_introspection_type(type_) or name.endswith(OURS):
            continue
        if isinstance(type_, GraphQLEnumType):
            yield type_


def test_every_value_of_every_enum_has_a_label_in_both_languages() -> None:
    """A line per value in db/data/enum_labels.csv; that of a new one is told here."""
    labels = {(row["enum"], row["value"]): row["label_es"] for row in sheet("enum_labels.csv")}
    declared = [(enum.name, value) for enum in enums() for value in enum.values]
    missing = [
        f"db/data/enum_labels.csv: {enum},{value},<English, if not {english(value)!r}>,"
        "<Spanish>,MACHINE,,same"
        for enum, value in declared
        if not labels.get((enum, value))
    ]
    assert missing == [], "\n".join(["add these lines:", *missing])
    stale = [f"db/data/enum_labels.csv: {enum},{value},..." for enum, value in labels]
    stale = [line for line, known in zip(stale, labels, strict=True) if known not in declared]
    assert stale == [], "\n".join(["no enum has these values any more:", *stale])
    for name in {enum for enum, _ in labels}:
        order = [value for enum, value in labels if enum == name]
        assert order == [value for enum, value in declared if enum == name], name


def english(value: str) -> str:
    """What a value is called where nobody says better."""
    return value.replace("_", " ").capitalize()


async def test_labels_are_answered_in_the_order_of_the_schema(loaded_url: str) -> None:
    found = await rows(
        loaded_url,
        "select v.enum_name, v.value, v.label, t.text, t.method from enum_values v"
        " join translations t on t.enum_value_key = v.key and t.field = 'label'"
        " and t.original = v.label order by v.enum_name, v.place",
    )
    expected = [
        (row["enum"], row["value"], row["label_en"] or english(row["value"]), row["label_es"])
        for row in sheet("enum_labels.csv")
    ]
    assert [(*row[:4],) for row in found] == sorted(expected, key=lambda row: row[0])
    assert {method for *_, method in found} == {"MACHINE"}


def texts() -> dict[tuple[str, str], tuple[str, Localized]]:
    """The texts that can be translated: by the column that points to their record, and name."""
    found = {}
    for entity in the_graph().entities.values():
        for name, field in entity.fields.items():
            if isinstance(field, Localized) and field.elsewhere is not None:
                found[field.elsewhere.remote, name] = (entity.table.name, field)
    return found


async def test_every_translation_is_of_a_text_that_the_schema_has(loaded_url: str) -> None:
    owners = {column for column, _ in texts()}
    for owner in owners:
        fields = await rows(
            loaded_url, f"select distinct field from translations where {owner} is not null"
        )
        assert {(owner, field) for (field,) in fields} <= set(texts())
    orphans = f"select count(*) from translations where num_nonnulls({', '.join(owners)}) = 0"
    assert await rows(loaded_url, orphans) == [(0,)]


# What other people write in thousands, we do not translate; it says that it is English.
UNTRANSLATED = {("service_id", "hoursText")}


async def test_every_text_of_ours_is_there_in_spanish(loaded_url: str) -> None:
    """db/data/translations.csv has a line for each text; those that are missing are told here."""
    missing = []
    for (owner, name), (table, field) in texts().items():
        assert field.elsewhere is not None
        english_, *others = [column.name for column in field.columns.values()]
        spanish = " or ".join(f"{column} is not null" for column in others) or "false"
        found = await rows(
            loaded_url,
            f"select distinct {english_} from {table} r where {english_} is not null"
            f" and not ({spanish}) and not exists (select from translations t"
            f" where t.{owner} = r.{field.elsewhere.local.name} and t.field = $1"
            f" and t.original = r.{english_} and t.language = 'ES')",
            name,
        )
        if (owner, name) not in UNTRANSLATED:
            missing += [f"{table},,{english_},ES,{text!r},<Spanish>,MACHINE,," for (text,) in found]
    assert missing == [], "\n".join(["add these lines to db/data/translations.csv:", *missing])


# Loading


def change(folder: Path, record: str, field: str, /, **changes: str) -> int:
    """Change the line of a text; gives the number of the line."""
    lines = sheet("translations.csv", folder)
    ((number, line),) = [
        (number, row)
        for number, row in enumerate(lines, start=2)
        if (row["record"], row["field"]) == (record, field)
    ]
    line.update(changes)
    with (folder / "translations.csv").open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    return number


# A program, its text, the column, what is put there, the reason it is refused for.
BAD = [
    ("aa", "name", "table", "", "is empty"),
    ("na", "name", "table", "prisons", "is none of activity_group_types, "),
    ("kairos", "name", "record", "kairoz", "is not in programs"),
    ("tumi", "name", "field", "title", "is no text of programs"),
    ("gogi", "name", "field", "audience", "is no text of programs"),
    ("tagpp", "name", "language", "FR", "is none of ES"),
    ("voeg", "name", "language", "EN", "is none of ES"),
    ("isudt", "name", "original", "ISUDT", "is not what programs say now"),
    ("isudt", "summary", "original", "", "is empty"),
    ("timelist", "name", "text", "", "is empty"),
    ("squires", "name", "method", "GUESS", "is none of HUMAN, MACHINE"),
    ("california-new-start", "name", "source", "", "is empty"),
]


async def test_a_translation_that_cannot_be_is_told_and_left_out(
    directory: str, files: Path
) -> None:
    expected = {}
    for record, field, column, value, reason in BAD:
        line = change(files, record, field, **{column: value})
        expected[line] = (column, value, reason, False)
    line = change(files, "tcmp", "name", reviewed_at="yesterday")
    expected[line] = ("reviewed_at", "yesterday", "is not a time", True)
    # "same" as the line above, which has no source now.
    change(files, "california-new-start", "summary", source="ours")
    report = await load(directory, directory=files)
    found = {each.line: each for each in report.rejections}
    assert found.keys() == expected.keys()
    for line, (column, value, reason, kept) in expected.items():
        rejection = found[line]
        assert (rejection.file, rejection.column) == ("translations.csv", column)
        assert (rejection.value, rejection.row_kept) == (value, kept)
        assert rejection.reason.startswith(reason)
    left = await rows(
        directory,
        "select slug, field from translations t join programs p on p.id = t.program_id",
    )
    assert set(left).isdisjoint({(record, field) for record, field, *_ in BAD})
    assert ("tcmp", "name") in left
    before = await everything(directory)
    await load(directory, directory=files)
    assert await everything(directory) == before


async def test_a_text_is_translated_once(directory: str, files: Path) -> None:
    path = files / "translations.csv"
    again = next(line for line in path.read_text("utf-8").split("\n") if ",kairos,name," in line)
    path.write_text(path.read_text("utf-8") + again + "\n", "utf-8")
    (rejection,) = (await load(directory, directory=files)).rejections
    assert rejection.reason.startswith("repeats line ")


async def test_a_text_that_changes_loses_its_translation_until_there_is_a_new_one(
    directory: str, files: Path
) -> None:
    edit(files, "programs.csv", name=where("slug", "aa", "AA", "name"))
    (rejection,) = (await load(directory, directory=files)).rejections
    assert (rejection.value, rejection.column) == ("Alcoholics Anonymous", "original")
    spanish = "select text from translations t join programs p on p.id = program_id where slug='aa'"
    assert await rows(directory, spanish) == []
    change(files, "aa", "name", original="AA", text="AA (Alcohólicos Anónimos)")
    assert (await load(directory, directory=files)).rejections == []
    assert await rows(directory, spanish) == [("AA (Alcohólicos Anónimos)",)]


REVIEWED = (
    "update translations set text = 'Doble A', method = 'HUMAN', reviewed_at = '2026-06-01'"
    " where program_id = (select id from programs where slug = 'aa')"
)


async def test_what_a_person_reviewed_is_overwritten_only_by_a_later_review(
    directory: str, files: Path
) -> None:
    async with connected(directory) as connection:
        await connection.execute(REVIEWED)
    spanish = "select text, method from translations t join programs p on p.id = program_id"
    spanish += " where slug = 'aa'"
    for reviewed_at, expected in (
        ("", ("Doble A", "HUMAN")),
        ("2026-05-31T00:00:00Z", ("Doble A", "HUMAN")),
        ("2026-06-02T00:00:00Z", ("Alcohólicos", "MACHINE")),
    ):
        change(files, "aa", "name", text="Alcohólicos", reviewed_at=reviewed_at)
        assert (await load(directory, directory=files)).rejections == []
        assert await rows(directory, spanish) == [expected]


async def test_a_translation_goes_with_its_line_and_stays_if_it_was_added_by_hand(
    directory: str, files: Path
) -> None:
    path = files / "translations.csv"
    lines = path.read_text("utf-8").split("\n")
    kept = [line for line in lines if ",aa,name," not in line and ",VETERANS," not in line]
    assert len(lines) - len(kept) == 2
    path.write_text("\n".join(kept), "utf-8")
    async with connected(directory) as connection:
        await connection.execute(
            "update translations set source_record_id = null"
            " where program_id = (select id from programs where slug = 'na')"
        )
    path.write_text("\n".join(line for line in kept if ",na,name," not in line), "utf-8")
    await load(directory, directory=files)
    left = await rows(
        directory,
        "select coalesce(slug, category_code) from translations t"
        " left join programs p on p.id = program_id"
        " where slug in ('aa', 'na') or category_code = 'VETERANS'",
    )
    assert left == [("na",)]


async def test_postgres_keeps_what_the_graph_promises(directory: str) -> None:
    async with connected(directory) as connection:
        for changed in (
            "language = 'EN'",
            "language = 'FR'",
            "text = ''",
            "method = 'GUESS'",
            "field = 'status_note'",
            "category_code = 'HOUSING'",
            "program_id = null",
            "field = 'summary'",
        ):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(
                    f"update translations set {changed} where field = 'name' and program_id ="
                    " (select id from programs where slug = 'isudt')"
                )


@pytest.mark.parametrize("language", Language)
async def test_an_alert_that_changed_is_never_shown_in_old_words(
    directory: str, language: Language
) -> None:
    async with connected(directory) as connection:
        await connection.execute(
            "update visitor_centers set alert = 'Open again' where slug = 'friends-outside-sq'"
        )
    opened = await Database.open(directory)
    text = '{ visitorCenter(slug: "friends-outside-sq") { alert alertWording { isFallback } } }'
    answer = await resolve(the_graph(), opened, GraphQLRequest(text, None, None, language))
    await opened.close()
    assert b'"alert":"Open again"' in answer.body
    assert (b'"isFallback":true' in answer.body) is (language is Language.ES)
