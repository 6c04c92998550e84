"""A request that names its operation by a hash becomes one that has its text.

Two ways lead here. *Trusted documents* were imported beforehand; with DOCUMENTS=trusted nothing
else is answered. *Automatic persisted queries* are sent whole once, and remembered: a client sends
the hash alone, is told PERSISTED_QUERY_NOT_FOUND if this server does not remember, and sends both.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Mapping
from enum import StrEnum

import orjson

from db import documents
from db.changes import Changes
from db.database import Database
from db.documents import Document
from db.errors import DatabaseError
from resolvers.cache import Cache
from web.refusals import (
    DocumentMismatch,
    DocumentNotFound,
    DocumentNotTrusted,
    MalformedRequest,
)

log = logging.getLogger(__name__)

_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{64})")

# How often a server that cannot hear of changes looks for trusted documents, in seconds.
_PATIENCE = 1.0


class Served(StrEnum):
    """Which documents are answered."""

    ANY = "any"
    TRUSTED = "trusted"


class Documents:
    """What is known by its hash: what was imported, and what clients have sent."""

    def __init__(self, database: Database, changes: Changes, served: Served = Served.ANY) -> None:
        self._database = database
        self._changes = changes
        self._served = served
        self._trusted: Mapping[str, str] = {}
        self._moment: int | None = None
        self._looked = 0.0
        self._sent: Cache[str, str] = Cache(10_000, 8_000_000)

    @property
    def tables(self) -> tuple[str, ...]:
        """What decides whether a request is answered at all."""
        return (documents.TABLE,) if self._served is Served.TRUSTED else ()

    async def text(self, parameters: Mapping[str, object]) -> str:
        """The text of the operation that a request asks for."""
        text = parameters.get("query")
        if text is not None and not isinstance(text, str):
            raise MalformedRequest("query must be a string.")
        name = _hash_of(parameters)
        if name is None:
            if text is None:
                raise MalformedRequest("query must be a string.")
            if self._served is Served.ANY:
                return text
            name = _digest(text)
        elif text is not None and name != _digest(text):
            raise DocumentMismatch("The hash is not the SHA-256 of the query.")
        trusted = (await self._known()).get(name)
        if trusted is not None:
            return trusted
        if self._served is Served.TRUSTED:
            raise DocumentNotTrusted("This server answers only operations that it knows.")
        if text is not None:
            self._sent.put(name, text, weight=len(text))
            return text
        sent = self._sent.get(name)
        if sent is None:
            raise DocumentNotFound("PersistedQueryNotFound")
        return sent

    async def _known(self) -> Mapping[str, str]:
        """The trusted documents, as they are now."""
        moment = self._changes.moment
        if moment is None or self._moment is None:
            fresh = time.monotonic() - self._looked < _PATIENCE
        else:
            fresh = self._changes.unchanged((documents.TABLE,), self._moment)
        if not fresh:
            looked = time.monotonic()
            try:
                self._trusted = await documents.read(self._database)
            except DatabaseError:
                # Whoever asks is told so when the operation itself is asked.
                log.warning("trusted documents could not be read again")
            else:
                self._moment, self._looked = moment, looked
        return self._trusted


def manifest(text: bytes) -> list[Document]:
    """The operations of a manifest, in one of the two forms that tools write.

    Apollo's has a list of objects with `id`, `name` and `body`; Relay and GraphQL Code Generator
    write an object of texts by their hashes. ValueError says what is wrong.

    >>> text = "{ __typename }"
    >>> manifest(orjson.dumps({_digest(text): text}))[0].text
    '{ __typename }'
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("it is no object")
    if "operations" in found:
        listed = found["operations"]
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise ValueError("its operations are no list of objects")
        rows = [(each.get("id"), each.get("body"), each.get("name")) for each in listed]
    else:
        rows = [(hash_, body, None) for hash_, body in found.items()]
    documents_ = []
    for hash_, body, name in rows:
        if not isinstance(body, str) or not (name is None or isinstance(name, str)):
            raise ValueError(f"the operation {name or hash_} has no text")
        named = _HASH.fullmatch(hash_) if isinstance(hash_, str) else None
        if named is None or named[1] != _digest(body):
            raise ValueError(f"{hash_} is not the SHA-256 of the operation {name or ''}".rstrip())
        documents_.append(Document(named[1], body, name))
    return documents_


def _hash_of(parameters: Mapping[str, object]) -> str | None:
    """The hash that a request names its operation by, if it does."""
    said = parameters.get("documentId")
    extensions = parameters.get("extensions")
    if said is None and isinstance(extensions, dict):
        persisted = extensions.get("persistedQuery")
        if persisted is None:
            return None
        if not isinstance(persisted, dict) or persisted.get("version") != 1:
            raise MalformedRequest("extensions.persistedQuery must be an object of version 1.")
        said = persisted.get("sha256Hash")
        if said is None:
            raise MalformedRequest("extensions.persistedQuery has no sha256Hash.")
    if said is None:
        return None
    found = _HASH.fullmatch(said) if isinstance(said, str) else None
    if found is None:
        raise MalformedRequest("A document's hash is 64 lower-case hexadecimal digits.")
    return found[1]


def _digest(text: str) -> str:
    # A lone surrogate is no text that could have been imported; it only must not end us.
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
