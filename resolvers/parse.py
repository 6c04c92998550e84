"""Text becomes a valid Document, once per text; a document becomes an Operation, once per name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from graphql import GraphQLScalarType, GraphQLSchema, GraphQLSyntaxError, print_ast, validate
from graphql import parse as parse_text
from graphql.execution.values import get_variable_values
from graphql.language import (
    DocumentNode,
    FragmentDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    TypeNode,
    VariableDefinitionNode,
)

from resolvers.admit import Limits, admit
from resolvers.errors import Code, RequestRefused, refuse, with_code
from resolvers.graph import Graph
from resolvers.representations import ANY
from resolvers.scan import scan

# Where the language of a request is among its variables; no name of GraphQL has a dot.
LANGUAGE = ".language"


@dataclass(frozen=True, slots=True)
class PlainVariable:
    """A variable whose value JSON brings as it is; or a list, each item of which is `read`."""

    name: str
    type: type
    optional: bool
    read: Callable[[object], object] | None = None


# More need more than a look: JSON has no enums, and 1 is a Float.
_PLAIN: Mapping[str, type] = {"String": str, "ID": str, "Int": int, "Boolean": bool}


@dataclass(frozen=True)
class Operation:
    """One operation of a valid document.

    `plain` has its variables if all of them are so. `plans` remembers how it was planned before.
    """

    document: DocumentNode
    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    plain: Sequence[PlainVariable] | None = None
    plans: dict[bool, object] = field(default_factory=dict, compare=False)

    @property
    def name(self) -> str | None:
        """The operation's name, if it has one."""
        return self.definition.name.value if self.definition.name else None


@dataclass(frozen=True, slots=True)
class _Document:
    operations: Mapping[str | None, Operation]


def parse(graph: Graph, text: str, operation_name: str | None = None) -> Operation:
    """The operation that a request asks for, parsed, admitted and validated."""
    document = graph.documents.get(text)
    if not isinstance(document, _Document):
        document = _document(graph, text)
        graph.documents.put(text, document, weight=len(text))
    if operation_name is not None:
        operation = document.operations.get(operation_name)
        if operation is None:
            raise refuse(Code.OPERATION_NOT_FOUND, "There is no operation of that name.")
        return operation
    if len(document.operations) != 1:
        message = (
            "Which operation? The document has several; give operationName."
            if document.operations
            else "The document has no operation."
        )
        raise refuse(Code.OPERATION_NOT_FOUND, message)
    return next(iter(document.operations.values()))


def coerce(
    graph: Graph,
    operation: Operation,
    given: Mapping[str, object],
    language: Enum | None = None,
) -> dict[str, object]:
    """The variables' values by the specification, and among them the language of the request."""
    values = _coerce(graph, operation, given)
    if language is not None:
        values[LANGUAGE] = language
    return values


def _coerce(graph: Graph, operation: Operation, given: Mapping[str, object]) -> dict[str, object]:
    """The variables' values: checked, and with their defaults."""
    definitions = operation.definition.variable_definitions
    if not definitions:
        return {}
    plain = _coerce_plain(operation.plain, given)
    if plain is not None:
        return plain
    most = _PARTS if operation.definition.operation is not OperationType.MUTATION else _INPUTS
    if _parts(_counted(definitions, given), most) > most:
        raise refuse(Code.BAD_VARIABLES, "The variables have too many parts.")
    values = get_variable_values(graph.schema, definitions, dict(given), max_errors=10)
    if isinstance(values, list):
        raise RequestRefused([with_code(error, Code.BAD_VARIABLES) for error in values])
    return values.coerced


_ABSENT = object()
_LARGEST = 2**31


def _coerce_plain(
    variables: Sequence[PlainVariable] | None, given: Mapping[str, object]
) -> dict[str, object] | None:
    """The values of plain variables; None if anything about them needs a closer look."""
    if variables is None:
        return None
    values: dict[str, object] = {}
    for variable in variables:
        value = given.get(variable.name, _ABSENT)
        if value is _ABSENT and variable.optional:
            continue
        # Not isinstance: true is no Int.
        if type(value) is not variable.type:
            return None
        if type(value) is int and not -_LARGEST <= value < _LARGEST:
            return None
        if variable.read is not None:
            assert isinstance(value, list)
            # A router sends hundreds of these at once: looking closer would cost more than asking.
            if None in value:
                return None
            value = [variable.read(item) for item in value]
        values[variable.name] = value
    return values


def _plain(
    schema: GraphQLSchema, definition: OperationDefinitionNode
) -> Sequence[PlainVariable] | None:
    plain: list[PlainVariable] = []
    for variable in definition.variable_definitions or ():
        required = isinstance(variable.type, NonNullTypeNode)
        named = variable.type.type if isinstance(variable.type, NonNullTypeNode) else variable.type
        if required and print_ast(named) == f"[{ANY}!]":
            any_ = schema.type_map[ANY]
            assert isinstance(any_, GraphQLScalarType)
            name = variable.variable.name.value
            plain.append(PlainVariable(name, list, False, any_.coerce_input_value))
            continue
        if not isinstance(named, NamedTypeNode) or named.name.value not in _PLAIN:
            return None
        optional = not required and variable.default_value is None
        name = variable.variable.name.value
        plain.append(PlainVariable(name, _PLAIN[named.name.value], optional))
    return plain


def _counted(
    definitions: Iterable[VariableDefinitionNode], given: Mapping[str, object]
) -> Iterable[object]:
    """The values whose parts count: of representations there is a limit of its own."""
    apart = {
        definition.variable.name.value
        for definition in definitions
        if _named(definition.type) == ANY
    }
    return [value for name, value in given.items() if name not in apart]


def _named(type_: TypeNode) -> str:
    while isinstance(type_, NonNullTypeNode | ListTypeNode):
        type_ = type_.type
    assert isinstance(type_, NamedTypeNode)
    return type_.name.value


# Enough for all the conditions that one may have; not for a list of ten thousand empty ones.
_PARTS = 1000
# A hundred rows with what belongs to them, and no more than the largest body has.
_INPUTS = 10_000


def _parts(values: Iterable[object], most: int) -> int:
    """How many objects there are in these values, and how many fields in the objects."""
    parts = 0
    found = list(values)
    while found and parts <= most:
        value = found.pop()
        if isinstance(value, Mapping):
            parts += 1 + len(value)
            found.extend(value.values())
        elif isinstance(value, list):
            found.extend(value)
    return parts


def _document(graph: Graph, text: str) -> _Document:
    limits: Limits = graph.limits
    if len(text) > limits.characters:
        message = f"A document may have at most {limits.characters} characters."
        raise refuse(Code.DOCUMENT_TOO_LARGE, message)
    scan(text, limits)
    try:
        document = parse_text(text)
    except GraphQLSyntaxError as error:
        raise RequestRefused([with_code(error, Code.GRAPHQL_PARSE_FAILED)]) from error
    admit(document, limits)
    errors = validate(graph.schema, document, max_errors=5)
    if errors:
        raise RequestRefused([with_code(error, Code.GRAPHQL_VALIDATION_FAILED) for error in errors])
    fragments: dict[str, FragmentDefinitionNode] = {}
    definitions: list[OperationDefinitionNode] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
        elif isinstance(definition, OperationDefinitionNode):
            definitions.append(definition)
    operations = {}
    for definition in definitions:
        operation = Operation(document, definition, fragments, _plain(graph.schema, definition))
        operations[operation.name] = operation
    return _Document(operations)


def is_query(operation: Operation) -> bool:
    """Whether the operation only reads."""
    return operation.definition.operation is OperationType.QUERY


def is_subscription(operation: Operation) -> bool:
    """Whether the operation is told as things happen."""
    return operation.definition.operation is OperationType.SUBSCRIPTION
