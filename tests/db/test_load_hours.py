"""Hours of the real directory: what is loaded of them, and what is not."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from db.data.load import DIRECTORY, load
from tests.db.scratch import Loaded, connected, scratch

Change = Callable[[dict[str, str]], str]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The directory's files, to be changed."""
    for file in DIRECTORY.glob("*.csv"):
        shutil.copy(file, tmp_path)
    return tmp_path


def edit(folder: Path, file: str, **changes: Change) -> None:
    """Write a file anew, with some columns changed."""
    with (folder / file).open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    with (folder / file).open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, rows[0].keys())
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, **{name: change(row) for name, change in changes.items()}})


async def rows(url: str, sql: str) -> list[Any]:
    async with connected(url) as connection:
        return [tuple(row) for row in await connection.fetch(sql)]


async def test_visiting_days_are_those_of_the_state_unless_a_prison_has_its_own(
    loaded_url: str,
) -> None:
    async with scratch(loaded_url) as url:
        found = await rows(
            url,
            "select i.institution_type, s.visit_type, s.kind, s.byday, count(*)"
            " from schedules s join institutions i on i.id = s.institution_id"
            " group by 1, 2, 3, 4 order by 1, 2, 3, 4",
        )
        closed = await rows(
            url,
            "select count(*) from schedules s join institutions i on i.id = s.institution_id"
            " where i.status not in ('OPEN', 'CLOSING')",
        )
    assert found == [
        ("CONSERVATION_CAMP", "IN_PERSON", "HOLIDAY", None, 44),
        ("CONSERVATION_CAMP", "IN_PERSON", "REGULAR", "SA,SU", 44),
        ("CONSERVATION_CAMP", "VIDEO", "HOLIDAY", None, 44),
        ("CONSERVATION_CAMP", "VIDEO", "REGULAR", "SA,SU", 44),
        ("STATE_PRISON", "IN_PERSON", "HOLIDAY", None, 31),
        ("STATE_PRISON", "IN_PERSON", "REGULAR", "FR", 1),
        ("STATE_PRISON", "IN_PERSON", "REGULAR", "FR,SA,SU", 30),
        ("STATE_PRISON", "IN_PERSON", "REGULAR", "SA,SU", 1),
    ]
    assert closed == [(0,)]


async def test_centers_open_with_visiting_and_one_has_hours_of_its_own(loaded_url: str) -> None:
    async with scratch(loaded_url) as url:
        assert await rows(
            url, "select count(*), count(*) filter (where opens_with_visiting) from visitor_centers"
        ) == [(31, 31)]
        assert await rows(
            url,
            "select c.slug, s.kind, s.byday, s.opens_at::text, s.closes_at::text"
            " from schedules s join visitor_centers c on c.id = s.visitor_center_id order by 2",
        ) == [
            ("friends-outside-cal", "HOLIDAY", None, "07:30:00", "15:30:00"),
            ("friends-outside-cal", "REGULAR", "FR,SA,SU", "07:30:00", "15:30:00"),
        ]
        assert await rows(
            url,
            "select c.slug, e.starts_on::text, e.ends_on::text, e.closed, e.reason = c.alert"
            " from schedule_exceptions e join visitor_centers c on c.id = e.visitor_center_id",
        ) == [("friends-outside-sq", "2026-02-02", "2026-02-10", True, True)]


async def test_a_text_that_cannot_be_read_is_kept_and_told(first_load: Loaded) -> None:
    report, url = first_load.report, first_load.url
    texts = "select count(*) from services where hours_text is not null"
    told = "select count(distinct service_id) from schedules"
    counted = [await rows(url, texts), await rows(url, told)]
    timed = await rows(
        url,
        "select count(*) from schedules where service_id is not null"
        " and (description is null or timezone <> 'America/Los_Angeles')",
    )
    assert counted == [[(445,)], [(379,)]]
    assert timed == [(0,)]
    assert len(report.remarks) == 445 - 379
    assert report.rejections == []
    shown = str(report)
    assert "Kept as text only:" in shown
    assert "  providers.csv:4597: hours_text = 'Varies': names no hours" in shown


async def test_other_words_are_other_rules(loaded_url: str, files: Path) -> None:
    def words(row: dict[str, str]) -> str:
        changed = {
            "Thu 08:30-17:00": "by chance",
            "Thu 09:00-11:00": "Thu 09:00-11:00; Fri 1am-2am",
            "Varies": "Mon 10:00-12:00",
        }
        return changed.get(row["hours_text"], row["hours_text"])

    count = "select count(*) from schedules where service_id is not null"
    async with scratch(loaded_url) as url:
        ((before,),) = await rows(url, count)
        edit(files, "providers.csv", hours_text=words)
        report = await load(url, directory=files)
        assert await rows(url, count) == [(before - 1 + 1 + 2,)]
        assert report.total.changed == 4
        told = {remark.value for remark in report.remarks}
        assert "by chance" in told
        assert "Varies" not in told


async def test_a_notice_closes_a_center_only_if_it_says_when(loaded_url: str, files: Path) -> None:
    notices = {
        "SQ": "Closed until 2026-03-01",
        "ASP": "Closed until 2026-02-20",
        "CCI": "closed until 2026-02-31",
        "CEN": "Open late",
    }
    edit(
        files,
        "visitor_centers.csv",
        alert=lambda row: notices.get(row["institution_code"], row["alert"]),
    )
    async with scratch(loaded_url) as url:
        report = await load(url, directory=files)
        days = "select starts_on::text, ends_on::text from schedule_exceptions"
        assert await rows(url, days) == [("2026-02-02", "2026-03-01")]
    told = [(each.value, each.reason) for each in report.remarks if each.column == "alert"]
    assert told == [
        (notices["ASP"], "does not say since when it is closed"),
        (notices["CCI"], "closes until a day that no calendar has"),
    ]


async def test_a_visiting_schedule_that_cannot_be_is_told(loaded_url: str, files: Path) -> None:
    lines = [
        "SQ,IN_PERSON,,REGULAR,XX,,,,,,Somebody",
        "SQ,IN_PERSON,,REGULAR,fr,,,,,,Somebody",
        "SQ,BY_MAIL,,REGULAR,FR,,,,,,Somebody",
        "SQ,IN_PERSON,,WEEKLY,FR,,,,,,Somebody",
        "NOWHERE,IN_PERSON,,REGULAR,FR,,,,,,Somebody",
        "SQ,IN_PERSON,,REGULAR,FR,25:00,26:00,,,,Somebody",
        "SQ,IN_PERSON,,REGULAR,SA,08:00,10:00,2026-02-31,,,Somebody",
    ]
    with (files / "visiting_schedules.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
    async with scratch(loaded_url) as url:
        report = await load(url, directory=files)
        days = await rows(
            url,
            "select byday, opens_at::text from schedules s join sources o on o.id = s.source_id"
            " where o.name = 'Somebody' order by 1",
        )
    found = [(each.line - 9, each.column, each.row_kept) for each in report.rejections]
    assert found == [
        (1, "byday", False),
        (2, "byday", False),
        (3, "visit_type", False),
        (4, "kind", False),
        (5, "institutions", False),
        (6, "opens_at", True),
        (6, "closes_at", True),
        (7, "valid_from", True),
    ]
    assert days == [("FR", None), ("SA", "08:00:00")]
