"""What is said of a subgraph beside its types: the directives of Federation, in its SDL.

Each is there because it is true of the declarations, and in the oldest version of the
specification that has it: https://specs.apollo.dev/federation/
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_list_type,
    parse,
    print_ast,
    print_schema,
)
from graphql.language import (
    ConstDirectiveNode,
    DefinitionNode,
    FieldDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
)

from resolvers import graph
from schema.homes import MUTATION, Homes
from schema.roles import Role
from schema.subgraphs import TAGS
from schema.tags import tags_of_changes

# Since which version of the specification there is which directive. As of 2.3 an interface may
# have a key, by which others add fields to everything that implements it.
SINCE = {
    "@key": "2.3",
    "@shareable": "2.0",
    "@tag": "2.0",
    "@authenticated": "2.5",
    "@requiresScopes": "2.5",
    "@listSize": "2.9",
    "@cacheTag": "2.12",
}
Roles = Mapping[tuple[str, str | None], Role]
"""The least role of each field that is not for everybody, and of each type as a whole."""

_ROOTS = ("Query", MUTATION)
_WRITE = "write"
"""What a key or a token has to be for, beside its role, to change anything."""

NEWEST = "2.12"
"""The newest version of the specification that is spoken here."""

# Not of Federation, and younger than what some composers know by themselves.
_ONE_OF = '''"""Exactly one of the fields of this input object is given, and is not null."""
directive @oneOf on INPUT_OBJECT'''


def federated(
    schema: GraphQLSchema,
    whole: graph.Graph,
    homes: Homes,
    source: graph.Entities,
    asked: Collection[str],
    version: str,
    roles: Roles,
) -> str:
    """The SDL of a subgraph, without the directives that are newer than `version`.

    `asked` are the entities that others should ask here for. The rest could be asked for as well,
    but all there is to learn is what those who ask know, or can have where they are.
    """
    if not re.fullmatch(r"2\.\d+", version) or _number(version) < _number(SINCE["@key"]):
        raise ValueError(f"A version of Federation is 2.3 to {NEWEST}, and not {version!r}.")
    said = _Said(schema, whole, homes, source, asked, version, roles)
    document = parse(print_schema(schema), no_location=True)
    body = [said.definition(each) for each in document.definitions if not _of_every(each)]
    lowest = max((SINCE[name] for name in said.used), key=_number)
    imports = ", ".join(f'"{name}"' for name in SINCE if name in said.used)
    url = f"https://specs.apollo.dev/federation/v{lowest}"
    link = f'extend schema @link(url: "{url}", import: [{imports}])'
    return "\n\n".join([link, _ONE_OF, *(print_ast(each) for each in body)]) + "\n"


def _number(version: str) -> int:
    """`2.12` comes after `2.9`."""
    return int(version.partition(".")[2])


def _of_page(name: str) -> str:
    """`Import`, for its connection and its edges."""
    return name.removesuffix("Connection").removesuffix("Edge")


def _of_every(definition: DefinitionNode) -> bool:
    """Whether it is what every subgraph has, and the specification leaves out."""
    name = getattr(definition, "name", None)
    return name is not None and name.value in ("_Any", "_Entity", "_Service")


class _Said:
    """What is said of each type and field of a subgraph; `used` are the directives that say it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        whole: graph.Graph,
        homes: Homes,
        source: graph.Entities,
        asked: Collection[str],
        version: str,
        roles: Roles,
    ) -> None:
        self.schema = schema
        self.whole = whole
        self.homes = homes
        self.keys = source.keys
        self.abstract = source.abstract
        self.asked = asked
        self.roles = roles
        self.known = {name for name, since in SINCE.items() if _number(since) <= _number(version)}
        self.used: set[str] = set()
        least = {name: roles[MUTATION, name] for name in whole.changes}
        self.of_changes = tags_of_changes(whole, homes, least)
        self.many = {
            f"{each.payload}s"
            for each in whole.changes.values()
            if isinstance(each, graph.Writes) and each.many
        }

    def definition(self, definition: DefinitionNode) -> DefinitionNode:
        """A type, with what is said of it."""
        if not isinstance(definition, TypeDefinitionNode):
            return definition
        name = definition.name.value
        if not isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
            tag = self._read(self._tags_of_changes(name))
            return replace(definition, directives=(*(definition.directives or ()), *tag))
        type_ = self.schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
        fields = tuple(
            self._field(type_, field)
            for field in definition.fields or ()
            if not (name == "Query" and field.name.value.startswith("_"))
        )
        directives = self._read(self._of_type(type_))
        return replace(definition, directives=directives, fields=fields)

    def _field(
        self, type_: GraphQLObjectType | GraphQLInterfaceType, node: FieldDefinitionNode
    ) -> FieldDefinitionNode:
        field = type_.fields[node.name.value]
        # The rows of an input, of which there may be as many as on the largest page.
        page = self.whole.limits.page if type_.name in self.many else None
        words = [*self._of_field(type_, node.name.value), *self._size(field, page)]
        return replace(node, directives=(*(node.directives or ()), *self._read(words)))

    def _of_type(self, type_: GraphQLObjectType | GraphQLInterfaceType) -> Iterator[str]:
        name = type_.name
        if name in self.abstract:
            yield '@key(fields: "id")'
        for key in self.keys.get(name, ()):
            yield f'@key(fields: "{key}"{"" if name in self.asked else ", resolvable: false"})'
        entity = self.whole.entities.get(name)
        if entity is not None:
            yield f'@cacheTag(format: "{entity.table.name}")'
        elif name not in _ROOTS and isinstance(type_, GraphQLObjectType):
            # Wherever there is such an object, all of it is there.
            yield "@shareable"
        yield from self._tags(type_)

    def _of_field(
        self, type_: GraphQLObjectType | GraphQLInterfaceType, field: str
    ) -> Iterator[str]:
        where = self.homes.get((type_.name, field), frozenset())
        if len(where) > 1 and field not in self.keys.get(type_.name, ()):
            yield "@shareable"
        root = self.whole.roots.get(field) if type_.name == "Query" else None
        if isinstance(root, graph.One | graph.Every):
            table = self.whole.entities[root.entity].table.name
            yield f'@cacheTag(format: "{table}")'
        if type_.name == MUTATION:
            yield self._sent_by(self.roles[MUTATION, field])
        yield from self._asked_of(type_.name, field)
        yield from self._tags(type_, field)

    def _sent_by(self, role: Role) -> str:
        """Who may send a mutation: the role is not enough."""
        enough = [each.value.lower() for each in Role if each.includes(role)]
        scopes = ", ".join(f'["{scope}", "{_WRITE}"]' for scope in enough)
        return f"@requiresScopes(scopes: [{scopes}])"

    def _asked_of(self, name: str, field: str) -> Iterator[str]:
        """Whom a field is for, by itself or by what it leads to; a subgraph shows it to no others.

        It is not said of types: what is asked of one would be asked of its interfaces, too, and so
        of everybody who looks for anything by its id.
        """
        if name == MUTATION:
            return
        known = self.whole.entities.get(name) or self.whole.values.get(name)
        source = (known.fields if known else self.whole.roots).get(field)
        target = getattr(source, "target", None) or getattr(source, "entity", None)
        asked: list[tuple[str, str | None]] = [(name, field), (str(target), None)]
        if field != "id":
            asked.append((name, None))
        roles = [self.roles[each] for each in asked if each in self.roles]
        role = max(roles, key=list(Role).index) if roles else None
        if role is Role.PARTNER:
            yield "@authenticated"
        elif role is not None:
            enough = [each.value.lower() for each in Role if each.includes(role)]
            scopes = ", ".join(f'["{scope}"]' for scope in enough)
            yield f"@requiresScopes(scopes: [{scopes}])"

    def _tags(
        self, type_: GraphQLObjectType | GraphQLInterfaceType, field: str | None = None
    ) -> Iterator[str]:
        """The tags of a type, or of a field; what leads to something has the tags of that."""
        named = {type_.name, _of_page(type_.name)}
        if field is not None:
            target = get_named_type(type_.fields[field].type).name
            named = {f"{type_.name}.{field}", target, _of_page(target)}
        for tag, names in TAGS.items():
            if named.intersection(names):
                yield f'@tag(name: "{tag}")'
        yield from self._tags_of_changes(type_.name if field is None else f"{type_.name}.{field}")

    def _tags_of_changes(self, name: str) -> Iterator[str]:
        if name in self.of_changes:
            yield f'@tag(name: "{self.of_changes[name]}")'

    def _size(self, field: GraphQLField, page: int | None) -> Iterator[str]:
        """How many there are in a list, as our own limits count them; or this many."""
        page = page or self.whole.limits.default_page
        several = is_list_type(get_nullable_type(field.type))
        target = get_named_type(field.type)
        by = [name for name in ("first", "last") if name in field.args]
        if by:
            # An argument that has a default is always there.
            always = any(field.args[name].default_value is not Undefined for name in by)
            assumed = "" if always else f"assumedSize: {page}, "
            slicing = ", ".join(f'"{name}"' for name in by)
            sized = "" if several else ', sizedFields: ["edges", "nodes"]'
            yield (
                f"@listSize({assumed}slicingArguments: [{slicing}]{sized}, "
                "requireOneSlicingArgument: false)"
            )
        elif several and isinstance(target, GraphQLObjectType):
            if target.name.endswith("Edge"):
                return
            yield f"@listSize(assumedSize: {page})"

    def _read(self, words: Iterable[str]) -> tuple[ConstDirectiveNode, ...]:
        """Directives as they are written, read."""
        spelled = [word for word in words if word.partition("(")[0] in self.known]
        self.used.update(word.partition("(")[0] for word in spelled)
        (definition,) = parse(f"scalar X {' '.join(spelled)}", no_location=True).definitions
        assert isinstance(definition, ScalarTypeDefinitionNode)
        return definition.directives or ()
