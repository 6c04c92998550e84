"""Migrations: each once and in order, and a story that does not add up is refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from db.errors import DatabaseUnavailable, MigrationError
from db.migrate import main, migrate, pending, read
from tests.db.scratch import connected, scratch

Write = Callable[[str, str], None]


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    async with scratch() as made:
        yield made


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of SQL."""

    def written(name: str, sql: str) -> None:
        (tmp_path / name).write_text(sql, encoding="utf-8")

    return written


@pytest.fixture
def two(write: Write, tmp_path: Path) -> Path:
    """A folder with two migrations, the second of which needs the first."""
    write("0002_more.sql", "alter table words add column number int;")
    write("0001_words.sql", "create table words (word text);")
    return tmp_path


async def ask(url: str, statement: str) -> Any:
    async with connected(url) as connection:
        return await connection.fetchval(statement)


async def names(url: str) -> list[str]:
    found: list[str] = await ask(
        url,
        "select coalesce(array_agg(name order by applied_at, name), '{}') from schema_migrations",
    )
    return found


@pytest.mark.parametrize(
    "made",
    ["locale_provider libc locale 'C'", "encoding 'LATIN1' locale_provider libc locale 'C'"],
)
async def test_a_database_without_spanish_letters_is_refused(made: str, two: Path) -> None:
    async with scratch(options=f"template template0 {made}") as url:
        with pytest.raises(MigrationError, match=r"Spanish names.* locale 'C.UTF-8'"):
            await migrate(url, two)
        assert await ask(url, "select to_regclass('words')") is None


async def test_migrations_are_applied_in_the_order_of_their_numbers_and_once(
    url: str, two: Path
) -> None:
    applied = [migration.name for migration in await migrate(url, two)]
    assert applied == ["0001_words.sql", "0002_more.sql"]
    assert await names(url) == applied
    assert await migrate(url, two) == []


async def test_a_new_migration_is_applied_to_a_database_that_has_the_others(
    url: str, two: Path, write: Write
) -> None:
    await migrate(url, two)
    write("0003_rest.sql", "alter table words add column rest text; select 1;")
    assert [migration.name for migration in await migrate(url, two)] == ["0003_rest.sql"]


async def test_ten_that_start_at_once_migrate_once(url: str, two: Path) -> None:
    applied = await asyncio.gather(*[migrate(url, two) for _ in range(10)])
    assert sorted(map(len, applied)) == [0] * 9 + [2]


async def test_a_failing_migration_names_its_line_and_leaves_nothing_of_itself(
    url: str, two: Path, write: Write
) -> None:
    write("0003_half.sql", "create table half (id int);\n-- Ñ\n\nalter table nowhere add id int;\n")
    write("0004_never.sql", "create table never (id int);")
    with pytest.raises(MigrationError, match=r'^0003_half\.sql.*: relation "nowhere" does not'):
        await migrate(url, two)
    assert await names(url) == ["0001_words.sql", "0002_more.sql"]
    assert await ask(url, "select to_regclass('half') is null and to_regclass('never') is null")
    write("0003_half.sql", "create table half (id int);")
    assert len(await migrate(url, two)) == 2


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("create table a (id int);\n\nselekt 1;\n", 3),
        ("select 'Ñ';\nselect nothing;\n", 2),
        ("\n\ncreate table a (id nowhere);\n", 3),
    ],
)
async def test_the_line_of_a_mistake_is_told(
    url: str, write: Write, tmp_path: Path, sql: str, line: int
) -> None:
    write("0001_wrong.sql", sql)
    with pytest.raises(MigrationError, match=rf"^0001_wrong\.sql, line {line}: "):
        await migrate(url, tmp_path)


async def test_a_migration_that_was_edited_is_refused(url: str, two: Path, write: Write) -> None:
    await migrate(url, two)
    write("0001_words.sql", "create table words (word text not null);")
    for apply in (migrate, pending):
        with pytest.raises(MigrationError, match=r"^0001_words\.sql was edited after"):
            await apply(url, two)


async def test_line_ends_are_no_edit(url: str, two: Path) -> None:
    (two / "0003_lines.sql").write_bytes(b"select 1;\nselect 2;\n")
    await migrate(url, two)
    (two / "0003_lines.sql").write_bytes(b"select 1;\r\nselect 2;\r\n")
    assert await migrate(url, two) == []


async def test_a_migration_that_is_missing_is_refused(url: str, two: Path) -> None:
    await migrate(url, two)
    (two / "0001_words.sql").unlink()
    with pytest.raises(MigrationError, match=r"^0001_words\.sql was applied .* is missing"):
        await migrate(url, two)


async def test_a_migration_that_comes_too_late_is_refused(
    url: str, two: Path, write: Write
) -> None:
    (two / "0001_words.sql").rename(two / "0003_words.sql")
    (two / "0002_more.sql").unlink()
    await migrate(url, two)
    write("0002_late.sql", "select 1;")
    with pytest.raises(MigrationError, match=r"^0002_late\.sql comes before 0003_words\.sql"):
        await migrate(url, two)
    assert await names(url) == ["0003_words.sql"]


def test_two_migrations_with_one_number_are_refused(two: Path, write: Write) -> None:
    write("0002_twin.sql", "select 1;")
    with pytest.raises(MigrationError, match=r"0002_more\.sql and 0002_twin\.sql have the same"):
        read(two)


def test_a_file_with_another_kind_of_name_is_refused(two: Path, write: Write) -> None:
    write("3_words.sql", "select 1;")
    with pytest.raises(MigrationError, match=r"^3_words\.sql is not named like"):
        read(two)


@pytest.mark.parametrize("ends", ["commit;", "  ROLLBACK;", "begin;", "start transaction;"])
def test_a_migration_cannot_end_its_own_transaction(two: Path, write: Write, ends: str) -> None:
    write("0003_ends.sql", f"select 1;\n{ends}\n")
    with pytest.raises(MigrationError, match=r"^0003_ends\.sql, line 2"):
        read(two)


def test_a_function_may_begin_and_end(two: Path, write: Write) -> None:
    write(
        "0003_function.sql",
        "create function f() returns int language plpgsql as $$\nbegin\n  return 1;\nend\n$$;",
    )
    assert len(read(two)) == 3


async def test_what_is_pending_is_told_and_nothing_changes(url: str, two: Path) -> None:
    assert [migration.number for migration in await pending(url, two)] == ["0001", "0002"]
    assert await ask(url, "select count(*) = 0 from pg_tables where schemaname = 'public'")
    await migrate(url, two)
    assert await pending(url, two) == []


async def test_a_database_that_is_not_there_is_said_so(two: Path) -> None:
    with pytest.raises(DatabaseUnavailable):
        await migrate("postgresql://localhost:1/nowhere", two)


async def test_the_command_plans_applies_and_says_no(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    every = [migration.name for migration in read()]

    async def say(*arguments: str) -> tuple[int, str]:
        status = await asyncio.to_thread(main, list(arguments))
        return status, capsys.readouterr().out

    assert await say(url, "--plan") == (0, "".join(f"pending {name}\n" for name in every))
    assert await say(url) == (0, "".join(f"applied {name}\n" for name in every))
    assert await say(url, "--plan") == (0, "nothing pending\n")
    assert await say(url) == (0, "nothing to apply\n")
    assert await say("postgresql://localhost:1/nowhere") == (1, "")
