"""A parsed document is let in, or refused before anything expensive looks at it.

Fields are counted as execution would see them, with every fragment unfolded. The walk stops as
soon as it has seen more than the limit, so that its own cost is bounded by the limit and not by
the document: a fragment bomb is refused after a thousand steps. Fields that would be merged
into one are weighed by the pairs that validation has to compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphql.language import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from resolvers.errors import Code, RequestRefused, refuse


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one document may ask for."""

    characters: int = 100_000
    tokens: int = 2_000
    depth: int = 16
    fields: int = 1_000
    aliases: int = 30
    directives: int = 50
    root_fields: int = 20
    conditions: int = 100
    rows: int = 100_000
    page: int = 100
    default_page: int = 20
    representations: int = 1_000


# What asks for an answer in parts. Deferred parts would be statements of their own, made at another
# moment than the rest; one statement sees one.
_INCREMENTAL = {"defer", "stream"}

# Two fields of one response name are compared with each other when a document is validated.
_COMPARISONS = 5_000


def admit(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document of which any operation asks for too much."""
    fragments: dict[str, FragmentDefinitionNode] = {}
    operations: list[OperationDefinitionNode] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
        elif isinstance(definition, OperationDefinitionNode):
            operations.append(definition)
    # Fragments are walked as well as operations: validation looks at unused ones, too.
    walk = _Walk(fragments, limits)
    for root in (*operations, *fragments.values()):
        walk.directives += len(root.directives or ())
        width = walk.level([root.selection_set], 1)
        if isinstance(root, OperationDefinitionNode) and width > limits.root_fields:
            message = f"An operation may have at most {limits.root_fields} root fields."
            raise refuse(Code.TOO_MANY_ROOT_FIELDS, message)


def too_many_tokens(limits: Limits) -> RequestRefused:
    message = f"A document may have at most {limits.tokens} tokens."
    return refuse(Code.TOO_MANY_TOKENS, message)


def too_deep(limits: Limits) -> RequestRefused:
    message = f"A document may be at most {limits.depth} levels deep."
    return refuse(Code.TOO_DEEP, message)


def too_many_aliases(limits: Limits) -> RequestRefused:
    message = f"A document may use at most {limits.aliases} aliases."
    return refuse(Code.TOO_MANY_ALIASES, message)


def too_many_directives(limits: Limits) -> RequestRefused:
    message = f"A document may use at most {limits.directives} directives."
    return refuse(Code.TOO_MANY_DIRECTIVES, message)


def not_incremental(directive: DirectiveNode) -> RequestRefused:
    message = f"@{directive.name.value} is not taken: an answer is one statement, and comes whole."
    return refuse(Code.INCREMENTAL_DELIVERY_NOT_SUPPORTED, message, [directive])


class _Walk:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits) -> None:
        self.fragments = fragments
        self.limits = limits
        self.steps = 0
        self.aliases = 0
        self.directives = 0
        self.comparisons = 0

    def level(self, sets: Iterable[SelectionSetNode | None], depth: int) -> int:
        """Walk one level of the response, where these selection sets merge; returns its width."""
        if depth > self.limits.depth:
            raise too_deep(self.limits)
        below: dict[str, list[SelectionSetNode]] = {}
        counts: dict[str, int] = {}
        for selections in sets:
            if selections is not None:
                self.collect(selections.selections, below, counts, depth)
        self.comparisons += sum(count * count for count in counts.values() if count > 1)
        if self.comparisons > _COMPARISONS:
            message = "The same fields are repeated too often in this document."
            raise refuse(Code.TOO_MANY_FIELDS, message)
        for nested in below.values():
            self.level(nested, depth + 1)
        return len(counts)

    def collect(
        self,
        selections: Iterable[SelectionNode],
        below: dict[str, list[SelectionSetNode]],
        counts: dict[str, int],
        depth: int,
    ) -> None:
        for selection in selections:
            self.step(selection)
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                counts[name] = counts.get(name, 0) + 1
                if selection.selection_set is not None:
                    below.setdefault(name, []).append(selection.selection_set)
                continue
            # A fragment costs a level of its own, so that nesting nothing but fragments, and
            # fragments that spread themselves, come to an end.
            if depth > 2 * self.limits.depth:
                raise too_deep(self.limits)
            if isinstance(selection, InlineFragmentNode):
                self.collect(selection.selection_set.selections, below, counts, depth + 1)
            elif isinstance(selection, FragmentSpreadNode):
                fragment = self.fragments.get(selection.name.value)
                if fragment is not None:
                    self.collect(fragment.selection_set.selections, below, counts, depth + 1)

    def step(self, selection: SelectionNode) -> None:
        self.steps += 1
        for directive in selection.directives or ():
            self.directives += 1
            if directive.name.value in _INCREMENTAL:
                raise not_incremental(directive)
        if isinstance(selection, FieldNode) and selection.alias is not None:
            self.aliases += 1
        if self.steps > self.limits.fields:
            message = f"A document may select at most {self.limits.fields} fields."
            raise refuse(Code.TOO_MANY_FIELDS, message)
        if self.aliases > self.limits.aliases:
            raise too_many_aliases(self.limits)
        if self.directives > self.limits.directives:
            raise too_many_directives(self.limits)
