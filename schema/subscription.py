"""Everything one may follow: what is told as it happens."""

from __future__ import annotations

from schema.changes import EntityChange
from schema.entity import argument, events, everything
from schema.types import Institution, VisitingStatusChange


class Subscription:
    """What is told as it happens, over WebSockets (`graphql-transport-ws`) or server-sent events.

    Each event has a `cursor`. Whoever comes back with the last one as `after` is told all that was
    missed, and nothing twice.
    """

    visiting_status_changed: VisitingStatusChange = events(
        "visiting_status_changes",
        "visiting_statuses",
        institutions=argument(
            list[Institution] | None, "Only at these institutions, by their ids; at all if null."
        ),
    )
    """That another visiting status holds at an institution."""
    entity_changed: EntityChange = everything()
    """That a record was added, changed or removed, by its own facts. What it only leads to, or what
    follows from other records, is told of those."""
