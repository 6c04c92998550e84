"""Who may do what: tables with a line for each type and each action, read off the graphs of all
roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from resolvers.graph import Acts, Change, Deed, Graph, Proposes, Writes
from schema.audiences import Audiences
from schema.roles import Role

# Of whatever has them, they are for the same roles.
_EVERYWHERE = ("history", "version")

OPERATIONS = ("read", "create", "update", "archive", "restore", "propose")


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do what with records of a type: the least role for each operation, if there is one.

    `fields` are those that not everybody sees who sees the type, each with the least role.
    """

    type: str
    operations: Mapping[str, Role]
    fields: Mapping[str, Role]

    def allows(self, role: Role, operation: str) -> bool:
        """Whether a role may do that."""
        least = self.operations.get(operation)
        return least is not None and role.includes(least)


def permissions(audiences: Audiences) -> list[Permission]:
    """All types that anybody sees, in the order of their names."""
    graphs = {role: audiences.graph(role) for role in Role}
    found: list[Permission] = []
    for name in sorted(graphs[Role.ADMIN].entities):
        operations: dict[str, Role] = {}
        fields: dict[str, Role] = {}
        for role in reversed(Role):
            graph = graphs[role]
            operations |= dict.fromkeys(_operations(graph, name), role)
            if name in graph.entities:
                fields |= dict.fromkeys(graph.entities[name].fields, role)
        least = operations["read"]
        found.append(
            Permission(
                name,
                operations,
                {field: role for field, role in fields.items() if role is not least},
            )
        )
    return found


def _operations(graph: Graph, name: str) -> Iterator[str]:
    if name in graph.entities:
        yield "read"
    for field, change in graph.changes.items():
        match change:
            case Writes(deed, written) if written == name and not change.many:
                yield Deed(deed).value.lower()
            case Acts() if field == f"restore{name}":
                yield "restore"
            case Proposes(_, written) if written == name:
                yield "propose"


def actions(audiences: Audiences) -> Mapping[str, Role]:
    """What may be done besides, and which directives there are: each with the least role."""
    found: dict[str, Role] = {}
    for role in reversed(Role):
        graph = audiences.graph(role)
        named = [field for field, change in graph.changes.items() if _acts(field, change)]
        named += [f"@{directive.name}" for directive in graph.schema.directives]
        found |= dict.fromkeys(named, role)
    return {name: found[name] for name in sorted(found) if found[name] is not Role.PUBLIC}


def _acts(field: str, change: Change) -> bool:
    restores = isinstance(change, Acts) and field.startswith("restore")
    return not isinstance(change, Writes | Proposes) and not restores


def actions_table(audiences: Audiences) -> str:
    """The actions as Markdown."""
    lines = ["| action | least role |", "| --- | --- |"]
    lines += [f"| `{name}` | {role.value.lower()} |" for name, role in actions(audiences).items()]
    return "\n".join(lines) + "\n"


def table(audiences: Audiences) -> str:
    """The types as Markdown."""
    lines = [
        "| type | " + " | ".join(OPERATIONS) + " | fields that fewer see |",
        "| --- |" + " --- |" * (len(OPERATIONS) + 1),
    ]
    for each in permissions(audiences):
        cells = [
            each.operations[operation].value.lower() if operation in each.operations else "–"
            for operation in OPERATIONS
        ]
        fewer = ", ".join(
            f"`{field}` {role.value.lower()}"
            for field, role in sorted(each.fields.items())
            if field not in _EVERYWHERE
        )
        lines.append(f"| `{each.type}` | {' | '.join(cells)} | {fewer or '–'} |")
    return "\n".join(lines) + "\n"
