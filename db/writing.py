"""What a transaction that changes something says beside what it is for."""

from __future__ import annotations

from collections.abc import Sequence

from db.mapping import Table
from db.render import identifier

CLAIM = "select claim_key($1::text, $2::text, $3::text)"
"""Takes a key of idempotency for `$1`: null, or `same` and the `answer` that was given before."""

KEEP = "select keep_answer($1::text, $2::text, $3::json)"
"""Keeps what is answered to whoever has claimed a key."""

WHY = """
    select to_json(count(set_config(name, value, true)))
    from (values ('directory.why', $1::text), ('directory.archiving', $2::text)) s(name, value)
"""
"""Why something is done, and whether what is only ever added to may go, `on` or `off`."""

CALLED = frozenset({"claim_key", "keep_answer", "own_source"})
"""Functions that only those may call who may change something."""


def locked(table: Table) -> str:
    """The statement that locks the record with the key `$1`, and answers with its version."""
    key = identifier(table.key.name)
    return (
        f"select to_json(version) from {identifier(table.name)} "
        f"where {key} = $1::text::{table.key.type} for update"
    )


def called(function: str, types: Sequence[str]) -> str:
    """The statement that calls a function with as many arguments, of these types."""
    taken = ", ".join(f"${number}::{type_}" for number, type_ in enumerate(types, 1))
    return f"select to_json({identifier(function)}({taken}))"
