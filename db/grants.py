"""What a role must be granted to read some tables and to call some functions.

A view, and a function that is `security definer`, reads with the rights of its owner, so that what
is behind it need not be granted. Any other function reads with the rights of whoever calls it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import asyncpg

from db.connection import answering
from db.mapping import Reach
from db.render import identifier

# Every server reads these: which migrations there are, and which documents are trusted.
_ALWAYS = ("schema_migrations", "trusted_documents")
# When an answer that looks at the clock will be another one.
_CLOCK = "next_instant"

_DEFINED = """
    select proname as name, pg_get_functiondef(oid) as text, prosecdef as definer from pg_proc
    where pronamespace = 'public'::regnamespace and prokind in ('f', 'p')
        and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
"""
_RELATIONS = """
    select relname, case when relkind = 'v' then pg_get_viewdef(oid) end from pg_class
    where relkind in ('r', 'p', 'v', 'm') and relnamespace = 'public'::regnamespace
        and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e')
"""
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_WORD = re.compile(r"[a-z_][a-z0-9_$]*")


@dataclass(frozen=True, slots=True)
class Catalog:
    """What functions and views say: the texts of those that read as whoever calls them, by name,
    and all tables and views, these with their texts."""

    functions: Mapping[str, str]
    relations: Mapping[str, str | None]
    # Whether there is a past to look at.
    past: bool = False

    @classmethod
    async def read(cls, line: asyncpg.Connection) -> Catalog:
        """The catalog of a database."""
        functions: dict[str, str] = {}
        for name, text, definer in await line.fetch(_DEFINED):
            if not definer:
                functions[name] = f"{functions.get(name, '')} {text}"
        past = await line.fetchval("select to_regnamespace('past') is not null")
        return cls(functions, dict(await line.fetch(_RELATIONS)), past)


async def grants(url: str, role: str, reach: Reach) -> list[str]:
    """The statements that grant a role what it needs, and nothing else."""
    async with answering(url) as line:
        return granting(await Catalog.read(line), role, reach)


def granting(catalog: Catalog, role: str, reach: Reach) -> list[str]:
    """The same, where the catalog is known."""
    read = {*reach.tables, *_ALWAYS}
    read |= _read([*reach.functions, _CLOCK, *reach.tables], catalog)
    # Of what is granted column by column, functions read no others.
    read -= reach.columns.keys() - reach.tables
    # What he may read, he may read as it was, if he may look back at all; and nothing else.
    schemas = ["public", "past"] if reach.past and catalog.past else ["public"]
    named = identifier(role)
    reading = [
        statement
        for schema in schemas
        for statement in _statements(named, read, reach.columns, schema)
    ]
    return [*reading, *_writing(named, reach)]


def _read(names: list[str], catalog: Catalog) -> set[str]:
    """The tables that functions read as whoever calls them, through other functions and views."""
    texts, relations = catalog.functions, catalog.relations
    seen: set[str] = set()
    todo = list(names)
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        view = relations.get(name)
        if name in relations:
            found.add(name)
        spoken = set(_WORD.findall(_COMMENT.sub(" ", texts.get(name) or view or "").lower()))
        # Behind a view only functions are called with our rights.
        todo += [word for word in spoken if word in texts or (word in relations and not view)]
    return found


def _statements(
    role: str, tables: Collection[str], columns: Mapping[str, Collection[str]], schema: str
) -> Iterator[str]:
    within = "" if schema == "public" else f"{schema}."
    yield f"grant usage on schema {schema} to {role};"
    for table in sorted(tables):
        yield f"grant select on {within}{identifier(table)} to {role};"
    for table in sorted(columns):
        if table not in tables:
            named = ", ".join(identifier(column) for column in sorted(columns[table]))
            yield f"grant select ({named}) on {within}{identifier(table)} to {role};"


def _writing(role: str, reach: Reach) -> Iterator[str]:
    for table in sorted(reach.writes):
        named = ", ".join(identifier(column) for column in sorted(reach.writes[table]))
        called = identifier(table)
        yield f"grant insert ({named}), update ({named}), delete on {called} to {role};"
    for function in sorted(reach.calls):
        yield f"grant execute on function {identifier(function)} to {role};"
