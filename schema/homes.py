"""Where each field lives: with its column, or where its foreign key lives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from db.mapping import Join
from resolvers import graph
from schema.entity import DeclarationError
from schema.subgraphs import SUBGRAPHS

Homes = Mapping[tuple[str, str], frozenset[str]]
"""The subgraphs that answer a field of an entity, of Query or of Mutation. Other types have all
their fields wherever they are."""

MUTATION = "Mutation"

EVERYWHERE = frozenset(SUBGRAPHS)
# What is about records of all subgraphs at once, or read in the log of all, only the whole graph
# tells.
NOWHERE: frozenset[str] = frozenset()


def owners_of(whole: graph.Graph) -> Mapping[str, frozenset[str]]:
    """The subgraphs that know an entity's columns: its owner, or all if nobody owns it."""
    found: dict[str, frozenset[str]] = {}
    for name, subgraph in SUBGRAPHS.items():
        for cls in subgraph.entities:
            if cls.__name__ in found:
                raise DeclarationError(f"{cls.__name__} has two owners.")
            found[cls.__name__] = frozenset([name])
    return {name: found.get(name, EVERYWHERE) for name in whole.entities}


def seats_of(whole: graph.Graph) -> Mapping[str, str]:
    """The one subgraph that others ask for what all know of an entity that nobody owns.

    It is the one with its list; what has no list is asked of the first subgraph.
    """
    lists = {cls.__name__: name for name, each in SUBGRAPHS.items() for cls in each.lists}
    first = next(iter(SUBGRAPHS))
    return {
        name: lists.get(name, first)
        for name, owners in owners_of(whole).items()
        if owners == EVERYWHERE
    }


def homes_of(whole: graph.Graph) -> Homes:
    """The subgraphs of every field of every entity, and of every root field.

    What is changed with a record, as what belongs to it, is changed where the record is.
    """
    owners = owners_of(whole)
    tables = {entity.table.name: owners[name] for name, entity in whole.entities.items()}
    lists: dict[str, frozenset[str]] = {}
    answers: dict[tuple[str, str], frozenset[str]] = {}
    for name, subgraph in SUBGRAPHS.items():
        tables |= dict.fromkeys(subgraph.tables, frozenset([name]))
        lists |= {cls.__name__: frozenset([name]) for cls in subgraph.lists}
        for type_name, fields in subgraph.answers.items():
            answers |= {(type_name, field): frozenset([name]) for field in fields}
    homes = dict(_fields(whole, owners, tables))
    for name, root in whole.roots.items():
        if isinstance(root, graph.One | graph.Every):
            owner = owners[root.entity]
            homes["Query", name] = lists[root.entity] if owner == EVERYWHERE else owner
        elif isinstance(root, graph.Since):
            homes["Query", name] = NOWHERE
        elif ("Query", name) not in answers:
            raise DeclarationError(f"Nobody answers the root field {name}.")
    seats = seats_of(whole)
    for name, change in whole.changes.items():
        subject = subject_of(whole, change)
        # Of what nobody owns the answers are alike everywhere, but it is changed in one place.
        seat = seats.get(subject)
        homes[MUTATION, name] = owners[subject] if seat is None else frozenset([seat])
    return {**homes, **answers}


def subject_of(whole: graph.Graph, change: graph.Change) -> str:
    """The entity that a change is about: the one that its payload leads to."""
    payload = whole.values[change.payload].fields.values()
    targets = [each.target for each in payload if isinstance(each, graph.ToOne)]
    return next(target for target in targets if target in whole.entities)


def _fields(
    whole: graph.Graph,
    owners: Mapping[str, frozenset[str]],
    tables: Mapping[str, frozenset[str]],
) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
    for name, entity in whole.entities.items():
        for field, source in entity.fields.items():
            home = owners[name]
            if isinstance(source, graph.Id):
                home = EVERYWHERE
            elif isinstance(source, graph.Past):
                home = NOWHERE
            elif isinstance(source, graph.ToOne | graph.ToMany):
                table = _pointing(entity, source.join)
                if table is not None and tables[table] != EVERYWHERE:
                    home = tables[table]
            yield (name, field), home


def _pointing(entity: graph.Entity, join: Join) -> str | None:
    """The table that points to the entity; None if the entity points away."""
    first = join[0]
    return first.table if first.local == entity.table.key.name else None
