"""Which tables have changed: Postgres says so at each commit, and here it is counted.

Every table has a trigger that sends a notice with the table's name; `announce` sees to that.
Postgres delivers it when the change is committed, and not before. So whoever remembers what he has
read, and `moment` from before he asked, knows by `unchanged` whether it still holds: at most the
few milliseconds of a notice late. While no notices can be heard there is no moment to remember.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import uuid4

import asyncpg

from db.database import Database
from db.errors import DatabaseError
from db.query import Reads

log = logging.getLogger(__name__)

CHANNEL = "table_changes"

# A migration is a row here, and may have changed what functions and views read.
_MIGRATIONS = "schema_migrations"

# Under this name, which no table has, all who wait are found.
_ANYTHING = ""

# Said after migrations, so that a table cannot be made and forgotten.
ANNOUNCE = f"""
create or replace function announce_change() returns trigger language plpgsql as $$
begin
    perform pg_notify('{CHANNEL}', tg_table_name);
    return null;
end
$$;
comment on function announce_change() is
    'Tells every server which table has changed, at commit and once per transaction.';
do $$
declare
    silent regclass;
begin
    for silent in
        select oid::regclass from pg_class c
        where relkind = 'r' and relnamespace = 'public'::regnamespace
            and not exists (select from pg_trigger where tgrelid = c.oid and tgname = 'announced')
            and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
    loop
        execute format('create trigger announced after insert or update or delete or truncate on %s'
            ' for each statement execute function announce_change()', silent);
        perform pg_notify('{CHANNEL}', '{_MIGRATIONS}');
    end loop;
end
$$;
"""

# What depends on more than tables: the time, or chance.
_CLOCK = frozenset(
    [
        "now",
        "current_timestamp",
        "current_date",
        "current_time",
        "localtime",
        "localtimestamp",
        "clock_timestamp",
        "statement_timestamp",
        "transaction_timestamp",
        "timeofday",
        "random",
        "gen_random_uuid",
        "nextval",
    ]
)

# ... or on which transactions are under way: of those that end without a change nobody is told.
_UNDER_WAY = frozenset({"pg_current_snapshot"})

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[a-z_][a-z0-9_$]*")

_DEFINED = """
    select proname as name, pg_get_functiondef(oid) as text from pg_proc
    where pronamespace = 'public'::regnamespace and prokind in ('f', 'p')
        and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
    union all
    select relname, pg_get_viewdef(oid) from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'v'
        and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')
"""
# Whose changes are heard, and what has rows of its own without it.
_TABLES = """
    select relname, exists (
        select from pg_trigger
        where tgrelid = c.oid and tgname = 'announced' and tgenabled <> 'D')
    from pg_class c
    where relkind in ('r', 'p', 'm', 'f') and relnamespace = 'public'::regnamespace
        and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
"""

_DEAF = "notices do not arrive (is there a pooler between us and Postgres?), so no answers are kept"

_FAILURES = (DatabaseError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)

# How long Postgres may be silent on the line on which we listen before it counts as cut, and how
# long we wait before we dial again.
_PATIENCE = 2.0
_HEARTBEAT = 1.0
_AGAIN = 0.2
_LATER = 60.0


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer is made from: tables, and perhaps the clock."""

    tables: tuple[str, ...]
    clock: bool


class Changes:
    """Listens to one Postgres, and counts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._count = 0
        self._last: dict[str, int] = {}
        self._floor = 0
        self._listening = False
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._expected: tuple[str, asyncio.Event] | None = None
        self._migrated = asyncio.Event()
        self._tables: frozenset[str] = frozenset()
        self._unheard: frozenset[str] = frozenset()
        self._mentions: Mapping[str, frozenset[str]] = {}

    @property
    def moment(self) -> int | None:
        """Now, to be compared later; None while changes cannot be heard."""
        return self._count if self._listening else None

    def unchanged(self, tables: Iterable[str], since: int) -> bool:
        """Whether none of these tables has changed since that moment."""
        if not self._listening or since < self._floor:
            return False
        last = self._last
        return all(last.get(table, 0) <= since for table in tables)

    async def changed(self, tables: Iterable[str], since: int | None) -> None:
        """Wait until one of these tables has changed since that moment, or may have, unheard.

        Without a moment, until changes can be heard.
        """
        names = tuple(tables)
        while not self._listening if since is None else self.unchanged(names, since):
            woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            for name in (*names, _ANYTHING):
                self._waiting.setdefault(name, set()).add(woken)
            try:
                await woken
            finally:
                for name in (*names, _ANYTHING):
                    if (waiting := self._waiting.get(name)) is not None:
                        waiting.discard(woken)
                        if not waiting:
                            del self._waiting[name]

    def sources(self, reads: Reads) -> Sources | None:
        """The tables behind tables, views and functions; None if nobody can say when one changes.

        What a function of ours reads is taken from its text, word by word: if that is too much, an
        answer is forgotten too often, and never kept too long.
        """
        if not all(self._knows(name) for name in reads.relations):
            return None
        found: set[str] = set()
        todo = [*reads.relations, *reads.functions]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(self._mentions.get(name, ()))
        if not found.isdisjoint(self._unheard | _UNDER_WAY):
            return None
        return Sources(tuple(sorted(found & self._tables)), not found.isdisjoint(_CLOCK))

    def looks_at_the_clock(self, name: str) -> bool:
        """Whether a view or a function does that itself, and not only through others."""
        return not self._mentions.get(name, frozenset()).isdisjoint({*_CLOCK, "clock"})

    def _knows(self, name: str) -> bool:
        return name in self._tables or name in self._mentions

    async def listen(self) -> None:
        """Listen until cancelled, whatever happens to the line."""
        while True:
            patience = _AGAIN
            try:
                async with self._database.connection() as line:
                    await line.add_listener(CHANNEL, self._noticed)
                    line.add_termination_listener(self._cut)
                    if await self._arrives():
                        await self._hear(line)
                    log.warning(_DEAF)
                    patience = _LATER
            except _FAILURES as error:
                log.info("the line on which changes are heard is cut: %r", error)
            finally:
                self._deafen()
            await asyncio.sleep(patience)

    async def _hear(self, line: Any) -> NoReturn:
        while True:
            self._migrated.clear()
            await self.learn(line)
            # Whatever happened while nobody listened: what is known is known from now on.
            self._count += 1
            self._floor = self._count
            self._listening = True
            self._wake(_ANYTHING)
            while not self._migrated.is_set():
                try:
                    async with asyncio.timeout(_HEARTBEAT):
                        await self._migrated.wait()
                except TimeoutError:
                    await line.execute("select 1", timeout=_PATIENCE)

    async def _arrives(self) -> bool:
        """Whether a notice that is sent on another connection is heard on this one."""
        word = uuid4().hex
        arrived = asyncio.Event()
        self._expected = (word, arrived)
        await self._database.fetch(
            "select to_json(true) from pg_notify($1::text, $2::text)", (CHANNEL, word)
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                await arrived.wait()
        except TimeoutError:
            return False
        finally:
            self._expected = None
        return True

    def _noticed(self, line: Any, process: int, channel: str, table: str) -> None:
        if self._expected is not None and table == self._expected[0]:
            self._expected[1].set()
            return
        self._count += 1
        self._last[table] = self._count
        self._wake(table)
        if table == _MIGRATIONS:
            # Tables and functions are no longer those that we have read about.
            self._deafen()
            self._migrated.set()

    def _wake(self, table: str) -> None:
        for woken in self._waiting.get(table, ()):
            if not woken.done():
                woken.set_result(None)

    def _cut(self, line: Any) -> None:
        self._deafen()

    def _deafen(self) -> None:
        self._listening = False
        self._wake(_ANYTHING)

    async def learn(self, line: Any) -> None:
        """Read which tables there are, and what views and functions speak of."""
        tables = await line.fetch(_TABLES)
        self._tables = frozenset(name for name, heard in tables if heard)
        self._unheard = frozenset(name for name, heard in tables if not heard)
        texts: dict[str, str] = {}
        for name, text in await line.fetch(_DEFINED):
            texts[name] = f"{texts.get(name, '')} {text}"  # functions of one name are one
        names = frozenset(texts) | self._tables | self._unheard | _CLOCK | _UNDER_WAY
        self._mentions = {name: _words(text) & names - {name} for name, text in texts.items()}


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(_COMMENT.sub(" ", text).lower()))
