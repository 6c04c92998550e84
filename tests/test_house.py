"""What the house promises about itself: arrows point one way, and everything has its one home."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    is_specified_scalar_type,
)

from schema.build import sdl
from schema.federation import subgraph
from schema.subgraphs import SUBGRAPHS
from tests.roads import the_graph

ROOT = Path(__file__).parent.parent

# From the face to the foundation: a floor stands on those below it, and knows none above.
FLOORS = ("server", "web", "schema", "resolvers", "db")

HOMES = {
    "starlette": {"server", "web"},
    "uvicorn": {"server", "web"},
    "strawberry": {"schema"},
    "graphql": {"resolvers", "schema"},
    "asyncpg": {"db"},
}

NAMELESS = {"utils", "util", "helpers", "common", "core", "manager", "service", "misc", "base"}

# Words of the domain that mean something to programmers, too; in db/, those of operating systems.
PLAIN = {"at", "count", "current", "exception", "fact", "group", "import", "source", "status"}
PLAIN |= {"cost", "document", "enum", "language", "listed", "note", "option", "required", "type"}
PLAIN |= {"api", "archived", "code", "key", "record", "rejection", "run", "value", "zip"}
PLAIN_BELOW = {"location", "program", "provider"}


def modules(*floors: str) -> list[Path]:
    """The Python files of some floors."""
    found = [path for floor in floors for path in (ROOT / floor).rglob("*.py")]
    return [
        path
        for path in sorted(found + [ROOT / f"{floor}.py" for floor in floors])
        if path.is_file() and "node_modules" not in path.parts
    ]


def floor_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, by their full names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


def test_imports_point_one_way() -> None:
    assert [
        f"{path}: {imported}"
        for path in modules(*FLOORS)
        for imported in imports(path)
        if (package := imported.partition(".")[0]) == "tests"
        or (package in FLOORS and FLOORS.index(package) < FLOORS.index(floor_of(path)))
    ] == []


def test_four_libraries_have_four_homes() -> None:
    assert [
        f"{path}: {imported}"
        for path in modules(*FLOORS)
        for imported in imports(path)
        if floor_of(path) not in HOMES.get(imported.partition(".")[0], FLOORS)
    ] == []


def test_only_the_server_knows_the_data() -> None:
    assert [
        f"{path}: {imported}"
        for path in modules("web", "schema", "resolvers", "db")
        for imported in imports(path)
        if f"{imported}.".startswith("db.data.") and ROOT / "db" / "data" not in path.parents
    ] == []


def domain_words() -> set[str]:
    """The words that types and tables are named with, each in singular and plural."""
    names: set[str] = set()
    for entity in the_graph().entities.values():
        names |= {re.sub(r"(?<=[a-z])([A-Z])", r" \1", entity.name).lower(), entity.table.name}
        for field in entity.fields.values():
            names |= {hop.table for hop in getattr(field, "join", ())}
    words = {word for found in names for word in re.split(r"[ _]", found)}
    return {word for word in words if word not in PLAIN and word.removesuffix("s") not in PLAIN}


def generic() -> list[Path]:
    apart = (ROOT / "db" / "data", ROOT / "db" / "migrations", ROOT / "resolvers" / "fields")
    return [
        path for path in modules("resolvers", "db") if not any(one in path.parents for one in apart)
    ]


def test_the_engine_has_never_heard_of_what_it_serves() -> None:
    words = domain_words()
    below = {word for word in words if word.removesuffix("s") not in PLAIN_BELOW}
    heard = {}
    for path in generic():
        known = below if floor_of(path) == "db" else words
        text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", path.read_text()).lower()
        if found := known.intersection(re.findall(r"[a-z]+", text)):
            heard[path] = found
    assert heard == {}


def test_a_module_opens_with_a_sentence_and_has_a_name_that_says_something() -> None:
    for path in modules(*FLOORS):
        assert ast.get_docstring(ast.parse(path.read_text())), path
        assert path.stem not in NAMELESS, path


def test_sql_is_spelled_in_db_only() -> None:
    spelled = re.compile(r"\s*(select\b.+\bfrom|insert into|update\b.+\bset|delete from)\b", re.S)
    assert [
        f"{path}:{node.lineno}"
        for path in modules("server", "web", "schema", "resolvers")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and spelled.match(node.value)
    ] == []


def test_everything_in_the_schema_is_described() -> None:
    silent: list[str] = []

    def look(where: str, thing: object) -> None:
        if not getattr(thing, "description", None):
            silent.append(where)

    schema = the_graph().schema
    for type_name, type_ in schema.type_map.items():
        if type_name.startswith("__") or is_specified_scalar_type(type_):
            continue
        look(type_name, type_)
        if isinstance(type_, GraphQLEnumType):
            for value_name, value in type_.values.items():
                look(f"{type_name}.{value_name}", value)
        if isinstance(type_, GraphQLInputObjectType):
            for part_name, part in type_.fields.items():
                look(f"{type_name}.{part_name}", part)
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in type_.fields.items():
                look(f"{type_name}.{field_name}", field)
                for argument_name, argument in field.args.items():
                    look(f"{type_name}.{field_name}({argument_name}:)", argument)
    assert silent == []


def test_the_printed_schemas_are_those_that_are_served() -> None:
    """`make schemas` prints them anew; the diff is the API review."""
    folder = ROOT / "schema" / "sdl"
    printed = {path.stem: path.read_text() for path in folder.iterdir()}
    served = {name: sdl(subgraph(the_graph(), [name])) for name in SUBGRAPHS}
    assert printed == {"directory": sdl(the_graph()), **served}
