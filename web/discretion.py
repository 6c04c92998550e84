"""What is logged, by whomever, passes here: nothing that somebody has asked goes into a log.

Libraries log what helps them: the URL of a GET, which has its variables; the frames of a WebSocket;
the words of an exception, which may quote a value. A log is kept longer than an answer, and read by
others.
"""

from __future__ import annotations

import logging

from db.discretion import discreet

# Whose handlers write what a server says. The last resort writes what has no handler.
_LOGGERS = ("", "uvicorn", "uvicorn.access")


def keep_secrets() -> None:
    """From now on, what handlers write tells nothing of requests. Doing it twice does no harm."""
    handlers = [handler for name in _LOGGERS for handler in logging.getLogger(name).handlers]
    if logging.lastResort is not None:
        handlers.append(logging.lastResort)
    for handler in handlers:
        handler.addFilter(_DISCREET)


class _Discreet(logging.Filter):
    """Takes out of a record what may be of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        library = record.name.partition(".")[0]
        if record.levelno <= logging.DEBUG and "websockets" in record.pathname:
            return False  # the frames themselves
        if record.exc_info and record.exc_info[1] is not None:
            record.exc_text = discreet(record.exc_info[1])
            record.exc_info = None
        if library == "asyncio":
            # Its further lines show a task, and with that the words of its exception.
            record.msg, record.args = record.getMessage().partition("\n")[0], None
        elif library == "uvicorn" and isinstance(record.args, tuple):
            record.args = tuple(_unasked(argument) for argument in record.args)
        return True


def _unasked(argument: object) -> object:
    """What uvicorn tells of a request, without the query of its URL."""
    if isinstance(argument, str):
        return argument.partition("?")[0]
    if isinstance(argument, dict) and "query_string" in argument:
        return {**argument, "query_string": b"<...>"}
    return argument


_DISCREET = _Discreet()
