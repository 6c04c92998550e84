"""Files of CSV, read row by row; and folders of them, which a datapackage.json describes."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from db.data.exchange.standard import NUMBERS, entity_called
from db.data.report import LoadError

# A cell of a hundred pages is no cell.
LARGEST_CELL = 1_000_000
# What a zip of some kilobytes may unpack to is without end.
LARGEST_FILE = 4_000_000_000
_LARGEST_DESCRIPTOR = 4_000_000
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)


def rows(file: IO[bytes], name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a file by column, each with its line. The first one is what the columns are.

    Raises LoadError for what is no such file.
    """
    reader = csv.reader(_lines(file, name), strict=True)
    before = csv.field_size_limit(LARGEST_CELL)
    try:
        head = next(reader, None)
        if not head:
            raise LoadError(f"{name}: is empty")
        if wrong := next((cell for cell in head if not cell.strip() or head.count(cell) > 1), None):
            raise LoadError(f"{name}:1: the column {wrong!r} is there twice")
        if "" in map(str.strip, head):
            raise LoadError(f"{name}:1: a column has no name")
        if len(head) == 1 and (found := re.search(r"[;\t|]", head[0])):
            raise LoadError(f"{name}:1: columns are parted by {found[0]!r}, not by commas")
        yield 1, dict(zip(head, head, strict=True))
        first = reader.line_num + 1  # a cell may hold line breaks: a row begins where one ended
        for row in reader:
            if row and len(row) != len(head):
                raise LoadError(f"{name}:{first}: {len(row)} cells, {len(head)} columns")
            if row:
                yield first, dict(zip(head, row, strict=True))
            first = reader.line_num + 1
    except csv.Error as error:
        raise LoadError(f"{name}:{reader.line_num}: {error}") from error
    finally:
        csv.field_size_limit(before)


def _lines(file: IO[bytes], name: str) -> Iterator[str]:
    number = 0
    # Only \n ends a line here, so that what a cell holds stays as it is.
    for number, line in enumerate(iter(lambda: file.readline(LARGEST_CELL * 8), b""), start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise LoadError(f"{name}:{number}: is not UTF-8") from error
        if "\0" in text:
            raise LoadError(f"{name}:{number}: a NUL byte")
        yield text


class Package:
    """A folder, or a zip of one, with the files that its datapackage.json names."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.zip: zipfile.ZipFile | None = None
        if not path.is_dir():
            try:
                self.zip = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, OSError) as error:
                raise LoadError(f"{path.name}: is no zip: {error}") from error
            for info in self.zip.infolist():
                _checked(self.name, info.filename)
                if stat.S_ISLNK(info.external_attr >> 16):
                    raise LoadError(f"{self.name}: {info.filename} is a link")
        self.root = self._root()
        self.resources = self._resources()

    def _root(self) -> str:
        """Where in a zip the folder is: some zips have it as their one entry."""
        if self.zip is None:
            if not (self.path / "datapackage.json").is_file():
                raise LoadError(f"{self.name}: has no datapackage.json")
            return ""
        found = [
            name
            for name in self.zip.namelist()
            if name.rpartition("/")[2] == "datapackage.json" and name.count("/") <= 1
        ]
        if len(found) != 1:
            raise LoadError(f"{self.name}: has {'two' if found else 'no'} datapackage.json")
        return found[0].removesuffix("datapackage.json")

    def _resources(self) -> Mapping[str, str]:
        """The object of HSDS in each file that is there."""
        place = f"{self.name}/datapackage.json"
        with self.open("datapackage.json") as file:
            text = file.read(_LARGEST_DESCRIPTOR)
        try:
            said = json.loads(text.decode("utf-8-sig"))
            listed = [(each["name"], each["path"]) for each in said["resources"]]
        except UnicodeDecodeError as error:
            raise LoadError(f"{place}: is not UTF-8") from error
        except (ValueError, RecursionError) as error:
            raise LoadError(f"{place}: is no JSON: {error}") from error
        except (KeyError, TypeError) as error:
            raise LoadError(f"{place}: names no resources, each with a name and a path") from error
        found: dict[str, str] = {}
        for name, path in listed:
            if not isinstance(name, str) or not isinstance(path, str):
                raise LoadError(f"{place}: a resource's name and path are texts")
            _checked(place, path)
            entity = entity_called(name) or entity_called(path)
            if entity is None:
                raise LoadError(f"{place}: {name!r} is no object of HSDS 3")
            # The standard's own descriptor names all files that there may be.
            if self._has(path):
                found[path] = entity
        if not found:
            raise LoadError(f"{place}: names no file that is there")
        return found

    def _has(self, path: str) -> bool:
        if self.zip is not None:
            return f"{self.root}{path}" in self.zip.namelist()
        inner = self.path / path
        if not inner.resolve().is_relative_to(self.path.resolve()):
            raise LoadError(f"{self.name}: {path} leads out of the folder")
        return inner.is_file()

    def files(self) -> Iterator[str]:
        """All files that belong to it, always in the same order."""
        yield "datapackage.json"
        yield from sorted(self.resources)

    def open(self, path: str) -> AbstractContextManager[IO[bytes]]:
        """One of its files."""
        if self.zip is None:
            return (self.path / path).open("rb")
        info = self.zip.getinfo(f"{self.root}{path}")
        if info.file_size > LARGEST_FILE:
            raise LoadError(f"{self.name}: {path} unpacks to {info.file_size:,} bytes")
        return self.zip.open(info)

    def objects(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every row as an object of HSDS: which one, its place, and the cells that say anything."""
        for path, entity in sorted(self.resources.items()):
            with self.open(path) as file:
                found = rows(file, f"{self.name}/{path}")
                next(found)
                for line, cells in found:
                    yield entity, f"{path}:{line}", typed(cells)


def typed(cells: Mapping[str, str]) -> dict[str, Any]:
    """A row's cells as JSON has them: numbers where HSDS has numbers, and nothing for nothing."""
    return {
        name: json.loads(cell) if name in NUMBERS and _NUMBER.fullmatch(cell) else cell
        for name, cell in cells.items()
        if cell
    }


def _checked(place: str, path: str) -> None:
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in path or not path or "\0" in path:
        raise LoadError(f"{place}: the path {path!r} leads out of the folder")


def text_of(cells: Mapping[str, str]) -> str:
    """A row as one line, to show it."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells.values())
    return line.getvalue()
