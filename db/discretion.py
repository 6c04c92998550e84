"""An error becomes lines for a log: what went wrong and where, and nothing of what was asked.

People ask this server about themselves. What they send must not be kept, and the words of an error
may quote it: so a log gets types, codes, places in our own files and the names that Postgres gives.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator

# What Postgres says of an error beside its words. All of it is named by migrations or by Postgres.
_NAMED = ("sqlstate", "table_name", "column_name", "constraint_name", "server_source_function")


def discreet(error: BaseException) -> str:
    """The chain of errors that led to this one, the first one first.

    >>> secret = "-".join(["no", "number"])
    >>> try:
    ...     int(secret)
    ... except ValueError as error:
    ...     secret in str(error), secret in discreet(error), discreet(error).splitlines()[-1]
    (True, False, 'ValueError')
    """
    lines: list[str] = []
    for each in reversed(list(_chain(error))):
        # Our own lines, and not what stood in their variables.
        lines += (line.rstrip("\n") for line in traceback.format_tb(each.__traceback__))
        lines.append(_named(each))
    return "\n".join(lines)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (
            None if following.__suppress_context__ else following.__context__
        )


def _named(error: BaseException) -> str:
    known = [(name, getattr(error, name, None)) for name in _NAMED]
    words = [f"{name}={value}" for name, value in known if isinstance(value, str)]
    # Found in the text of the statement, before any value was looked at: that text has none.
    if getattr(error, "position", None) is not None:
        words.append(str(getattr(error, "message", "")))
    return " ".join([type(error).__qualname__, *words])
