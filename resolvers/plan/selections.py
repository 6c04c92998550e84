"""Selection sets become the fields of one concrete type: in order, merged, skipped or included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphql import GraphQLSchema, is_abstract_type
from graphql.language import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
)

from resolvers.parse import Operation
from resolvers.plan.values import Look, Lookout, Variable

# The fields of one response object: by response key, those that are merged into one.
Fields = Mapping[str, Sequence[FieldNode]]


def collect(
    schema: GraphQLSchema,
    operation: Operation,
    lookout: Lookout,
    type_name: str,
    sets: Iterable[SelectionSetNode | None],
) -> Fields:
    """The fields selected on a concrete type, as the specification's CollectFields has them."""
    fields: dict[str, list[FieldNode]] = {}
    visited: set[str] = set()

    def visit(selections: SelectionSetNode) -> None:
        for selection in selections.selections:
            if not _included(selection.directives or (), lookout):
                continue
            if isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                fields.setdefault(key, []).append(selection)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                if condition is None or _applies(schema, condition.name.value, type_name):
                    visit(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                fragment = operation.fragments[name]
                if name not in visited:
                    visited.add(name)
                    if _applies(schema, fragment.type_condition.name.value, type_name):
                        visit(fragment.selection_set)

    for selections in sets:
        if selections is not None:
            visit(selections)
    return fields


def _applies(schema: GraphQLSchema, condition: str, type_name: str) -> bool:
    if condition == type_name:
        return True
    abstract = schema.type_map[condition]
    return is_abstract_type(abstract) and schema.is_sub_type(
        abstract,
        schema.type_map[type_name],
    )


def _included(directives: Sequence[DirectiveNode], lookout: Lookout) -> bool:
    for directive in directives:
        name = directive.name.value
        if name in ("skip", "include") and _condition(directive, lookout) is (name == "skip"):
            return False
    return True


def _condition(directive: DirectiveNode, lookout: Lookout) -> bool:
    value = directive.arguments[0].value if directive.arguments else None
    if isinstance(value, VariableNode):
        return lookout.ask(Look.VALUE, Variable((value.name.value,))) is True
    return isinstance(value, BooleanValueNode) and value.value
