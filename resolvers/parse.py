"""Text becomes a valid Document, once per text; a document becomes an Operation, once per name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import GraphQLSyntaxError, validate
from graphql import parse as parse_text
from graphql.execution.values import get_variable_values
from graphql.language import (
    DocumentNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    OperationType,
)

from resolvers.admit import Limits, admit
from resolvers.errors import Code, RequestRefused, refuse, with_code
from resolvers.graph import Graph


@dataclass(frozen=True)
class Operation:
    """One operation of a valid document. `plans` remembers how it was planned before."""

    document: DocumentNode
    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
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


def coerce(graph: Graph, operation: Operation, given: Mapping[str, object]) -> dict[str, object]:
    """The variables' values by the specification: checked, and with their defaults."""
    definitions = operation.definition.variable_definitions
    if not definitions:
        return {}
    values = get_variable_values(graph.schema, definitions, dict(given), max_errors=10)
    if isinstance(values, list):
        raise RequestRefused([with_code(error, Code.BAD_VARIABLES) for error in values])
    return values.coerced


def _document(graph: Graph, text: str) -> _Document:
    limits: Limits = graph.limits
    if len(text) > limits.characters:
        message = f"A document may have at most {limits.characters} characters."
        raise refuse(Code.DOCUMENT_TOO_LARGE, message)
    try:
        document = parse_text(text, no_location=False, max_tokens=limits.tokens)
    except GraphQLSyntaxError as error:
        if "tokens" in error.message and "limit" in error.message.lower():
            message = f"A document may have at most {limits.tokens} tokens."
            raise refuse(Code.TOO_MANY_TOKENS, message) from error
        raise RequestRefused([with_code(error, Code.GRAPHQL_PARSE_FAILED)]) from error
    except RecursionError as error:
        message = f"A document may be at most {limits.depth} levels deep."
        raise refuse(Code.TOO_DEEP, message) from error
    admit(document, limits)
    errors = validate(graph.schema, document, max_errors=10)
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
        operation = Operation(document, definition, fragments)
        operations[operation.name] = operation
    return _Document(operations)


def is_query(operation: Operation) -> bool:
    """Whether the operation only reads."""
    return operation.definition.operation is OperationType.QUERY
