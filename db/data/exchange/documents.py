"""Files of JSON, of which only one object at a time is in memory, however long the file is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from db.data.report import LoadError

# An organization with all its services is far smaller. What is larger is no record.
LARGEST = 32_000_000
DEEPEST = 40
_READ = 256 * 1024
_MARKS = re.compile(rb'["\\{}\[\]]')
_BLANK = b" \t\r\n,"


def objects(file: IO[bytes], name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file, each with its place in it.

    They are the items of an array, or follow one another, each in a line for example. A page of an
    answer is its `contents`. Raises LoadError for what is no such file.
    """
    bytes_ = _Bytes(file, name)
    first = bytes_.skip(_BLANK.replace(b",", b""))
    if first is None:
        raise LoadError(f"{name}: is empty")
    many = first == b"["
    if many:
        bytes_.take(1)
    elif first != b"{":
        raise LoadError(f"{name}:{bytes_.line}: begins neither with [ nor with {{: is no JSON")
    number = 0
    while True:
        mark = bytes_.skip(_BLANK)
        if mark is None:
            if many:
                raise LoadError(f"{name}:{bytes_.line}: ends within its list")
            return
        if mark == b"]" and many:
            bytes_.take(1)
            if bytes_.skip(_BLANK) is not None:
                raise LoadError(f"{name}:{bytes_.line}: goes on after its list")
            return
        if mark != b"{":
            raise LoadError(
                f"{name}:{bytes_.line}: {mark.decode('latin-1')!r} where an object begins"
            )
        line = bytes_.line
        found = _parsed(bytes_.balanced(), f"{name}:{line}")
        contents = found.get("contents")
        if isinstance(contents, list) and "id" not in found:
            for index, each in enumerate(contents):
                if not isinstance(each, dict):
                    raise LoadError(f"{name}:{line}: contents[{index}] is no object")
                yield f"{line}: contents[{index}]", each
        else:
            yield (f"{line}: [{number}]" if many else f"{line}"), found
        number += 1


def _parsed(text: bytes, place: str) -> dict[str, Any]:
    try:
        found = json.loads(text.decode("utf-8"), parse_constant=_refused, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise LoadError(f"{place}: is not UTF-8") from error
    except ValueError as error:
        raise LoadError(f"{place}: is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise LoadError(f"{place}: is no object")
    return found


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


class _Bytes:
    """The bytes of a file that are looked at, and the line they are in."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.file, self.name = file, name
        self.line = 1
        self.held = file.read(_READ)
        self.at = 3 if self.held.startswith(b"\xef\xbb\xbf") else 0

    def more(self) -> bool:
        read = self.file.read(_READ)
        self.held = self.held[self.at :] + read
        self.at = 0
        return bool(read)

    def skip(self, blank: bytes) -> bytes | None:
        """The next byte that is not blank; None at the end."""
        while True:
            while self.at < len(self.held):
                byte = self.held[self.at : self.at + 1]
                if byte not in blank:
                    if byte == b"\0":
                        raise LoadError(f"{self.name}:{self.line}: a NUL byte")
                    return byte
                self.line += byte == b"\n"
                self.at += 1
            if not self.more():
                return None

    def take(self, count: int) -> bytes:
        taken = self.held[self.at : self.at + count]
        self.at += count
        self.line += taken.count(b"\n")
        return taken

    def balanced(self) -> bytes:
        """All bytes of the object that begins here."""
        depth, quoted, looked = 0, False, 0
        while True:
            for mark in _MARKS.finditer(self.held, self.at + looked):
                byte = mark[0]
                if mark.start() < self.at + looked:
                    continue
                looked = mark.end() - self.at
                if byte == b"\\":
                    looked += quoted  # what follows is no mark
                elif byte == b'"':
                    quoted = not quoted
                elif not quoted:
                    depth += 1 if byte in b"{[" else -1
                    if depth > DEEPEST:
                        reason = f"is nested more than {DEEPEST} deep"
                        raise LoadError(f"{self.name}:{self.line}: {reason}")
                    if depth == 0:
                        return self.take(looked)
            looked = max(looked, len(self.held) - self.at)
            if looked > LARGEST:
                reason = f"one object of more than {LARGEST:,} bytes"
                raise LoadError(f"{self.name}:{self.line}: {reason}")
            # A backslash at the very end may have skipped a byte that is not read yet.
            if not self.more():
                raise LoadError(f"{self.name}:{self.line}: ends within an object that begins here")
