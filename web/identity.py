"""Who asks: a header becomes a Caller, or a refusal that says what is wrong with it.

An API key (`Authorization: Bearer crd_…`, or `X-API-Key`) is looked up by its hash; who holds it
is remembered until anything about any key changes, which Postgres tells every server at once. Any
other bearer token is a JWT (RFC 7519) of the one issuer that is trusted, signed with a key that it
publishes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any
from uuid import uuid4

import jwt

from db.api_keys import PREFIX, TABLE, holder
from db.changes import Changes
from db.database import Database
from db.errors import DatabaseError
from resolvers.cache import Cache
from resolvers.change import NOBODY, Changer
from schema.roles import Role
from schema.types.api_keys import ApiKeyScope
from web.refusals import BudgetSpent, IdentityUnavailable, Unauthenticated

# Signatures that only the issuer can make; never `none`, and never a secret that we share.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")

# How far clocks may differ, in seconds.
_LEEWAY = 30
# How long the issuer's keys are used, and how soon it is asked again for one that it did not have:
# a new key works after so many seconds, and made up ones do not make us ask more often.
_LIFESPAN = 300.0
_AGAIN = 5.0
# How long a token that was verified is taken for verified, in seconds.
_VERIFIED = 60.0
# More is no token of anybody's.
_LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who asks, and what they may do. `provider` is the organization they speak for.

    What they have shown opens nothing any more after `until`, on the monotonic clock.
    """

    role: Role = Role.PUBLIC
    name: str | None = None
    scopes: frozenset[str] = frozenset()
    provider: str | None = None
    id: str | None = None
    budget: int | None = None
    until: float = field(default=inf, compare=False)

    def told(self) -> Mapping[str, object]:
        """What `me` tells them."""
        return {
            "role": self.role.value,
            "name": self.name,
            "scopes": sorted(self.scopes),
            "provider": self.provider,
        }


ANYBODY = Caller()
_ANYBODY = ANYBODY.told()

CALLER = "caller"
"""Where in an ASGI scope it is noted who asks."""


def told_of(scope: Mapping[str, Any]) -> Mapping[str, object]:
    """What `me` tells whoever sends this."""
    caller: Caller | None = scope.get(CALLER)
    return _ANYBODY if caller is None else caller.told()


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are trusted, for whom they have to be meant, and where its keys are."""

    url: str
    audience: str
    keys_url: str


# What ties a line of the change log to the logs of others, if it is short and plain.
_REQUEST = b"x-request-id"
_LONGEST_REQUEST = 100


def changer_of(scope: Mapping[str, Any]) -> Changer:
    """Who is on record for what this changes."""
    caller: Caller | None = scope.get(CALLER)
    if caller is None or caller.name is None:
        return NOBODY
    given = next((value for name, value in scope["headers"] if name == _REQUEST), b"")
    plain = given.isascii() and given.decode("ascii", "replace").isprintable()
    request = given.decode() if plain and 0 < len(given) <= _LONGEST_REQUEST else str(uuid4())
    return Changer(
        caller.name,
        caller.role.value,
        request,
        caller.id or f"token:{caller.name}",
        ApiKeyScope.WRITE.value in caller.scopes,
        caller.provider or "",
    )


class Identity:
    """Knows callers by what they show."""

    def __init__(self, database: Database, changes: Changes, issuer: Issuer | None = None) -> None:
        self._database = database
        self._changes = changes
        self._tokens = _Tokens(issuer) if issuer else None
        self._known: Cache[str, tuple[Caller, int]] = Cache(10_000)
        self._budgets: Cache[str, _Bucket] = Cache(10_000)

    async def caller(self, shown: str) -> Caller:
        """Who shows this, and may go on to ask; raises a Refusal for who may not."""
        caller = await self.known(shown)
        self._spend(caller)
        return caller

    async def known(self, shown: str) -> Caller:
        """Who shows this, at no cost to them; raises a Refusal if it opens nothing."""
        if is_key(shown):
            try:
                return await self._holder(shown)
            except DatabaseError as error:
                raise IdentityUnavailable("Who holds this key cannot be found out now.") from error
        if self._tokens is None:
            raise Unauthenticated("This is no API key, and no issuer of tokens is trusted here.")
        return await self._tokens.caller(shown)

    def charge(self, caller: Caller, more: int) -> None:
        """Take more than the one that a request costs; what is not there is owed by the next."""
        bucket = self._budgets.get(caller.id) if caller.id is not None else None
        if bucket is not None:
            bucket.left -= more

    async def _holder(self, key: str) -> Caller:
        moment = self._changes.moment
        kept = self._known.get(key)
        if kept is not None:
            caller, since = kept
            if self._changes.unchanged((TABLE,), since) and time.monotonic() < caller.until:
                return caller
        found = await holder(self._database, key)
        if found is None:
            raise Unauthenticated("This API key opens nothing: it is unknown, expired or revoked.")
        caller = Caller(
            Role(found.role),
            found.name,
            frozenset(found.scopes),
            found.provider,
            found.id,
            found.budget,
            inf if found.seconds is None else time.monotonic() + found.seconds,
        )
        if moment is not None:
            self._known.put(key, (caller, moment))
        return caller

    def _spend(self, caller: Caller) -> None:
        if caller.budget is None or caller.id is None:
            return
        bucket = self._budgets.get(caller.id)
        if bucket is None:
            bucket = _Bucket(float(caller.budget))
            self._budgets.put(caller.id, bucket)
        wait = bucket.take(caller.budget)
        if wait:
            raise BudgetSpent(f"This key may send {caller.budget} requests per minute.", wait)


@dataclass(slots=True)
class _Bucket:
    """A token bucket: it fills up in a minute, and holds a minute's worth."""

    left: float
    since: float = field(default_factory=time.monotonic)

    def take(self, per_minute: int) -> float:
        """Take one; returns how many seconds to wait if there is none."""
        now = time.monotonic()
        self.left = min(float(per_minute), self.left + (now - self.since) * per_minute / 60)
        self.since = now
        if self.left < 1:
            return (1 - self.left) * 60 / per_minute
        self.left -= 1
        return 0.0


def is_key(shown: str) -> bool:
    """Whether it is one of our keys; else it is a token, which its issuer may renew."""
    return shown.startswith(PREFIX)


def shown_by(authorization: bytes | None, api_key: bytes | None) -> str:
    """The key or token in these headers, one of which there is."""
    if authorization is not None and api_key is not None:
        raise Unauthenticated("Say who you are once: by Authorization or by X-API-Key.")
    if authorization is None:
        assert api_key is not None
        text = api_key.decode("latin-1").strip()
    else:
        scheme, _, text = authorization.decode("latin-1").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated("Authorization is `Bearer`, a space, and a key or a token.")
        text = text.strip()
    if not text or len(text) > _LONGEST or not text.isascii():
        raise Unauthenticated("What is shown is no key and no token.")
    return text


class _Tokens:
    """Verifies the tokens of one issuer."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._client = jwt.PyJWKClient(issuer.keys_url, cache_jwk_set=False, timeout=5)
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked = -_LIFESPAN
        self._asking = asyncio.Lock()
        self._verified: Cache[str, tuple[Caller, float]] = Cache(10_000)

    async def caller(self, token: str) -> Caller:
        """Who the token says they are."""
        kept = self._verified.get(token)
        if kept is not None and time.monotonic() < kept[1]:
            return kept[0]
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise Unauthenticated("This is no API key and no token.") from error
        if header.get("alg") not in ALGORITHMS:
            raise Unauthenticated("The token is not signed in a way that is trusted.")
        key = await self._key(header.get("kid"))
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=self._issuer.audience,
                issuer=self._issuer.url,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"The token opens nothing: {error}.") from error
        caller = _claimed(claims)
        self._verified.put(token, (caller, min(time.monotonic() + _VERIFIED, caller.until)))
        return caller

    async def _key(self, name: object) -> jwt.PyJWK:
        if not isinstance(name, str):
            raise Unauthenticated("The token does not name the key that it is signed with.")
        now = time.monotonic()
        if name not in self._keys or now - self._asked > _LIFESPAN:
            async with self._asking:
                if time.monotonic() - self._asked > (_AGAIN if self._keys else 0.0):
                    await self._ask()
        if name not in self._keys:
            raise Unauthenticated("The token is signed with a key that its issuer does not have.")
        return self._keys[name]

    async def _ask(self) -> None:
        try:
            keys = await asyncio.to_thread(self._client.get_signing_keys)
        except jwt.PyJWKClientError as error:
            if not self._keys:
                raise IdentityUnavailable("The issuer of tokens cannot be reached.") from error
            # What it said last holds on; it is asked again soon.
        else:
            self._keys = {key.key_id: key for key in keys if key.key_id}
        self._asked = time.monotonic()


def _claimed(claims: dict[str, Any]) -> Caller:
    """A role is a word of `scope` (RFC 8693): `partner`, `staff` or `admin`."""
    words = _words(claims.get("scope"))
    roles = [role for role in Role if role.value.lower() in words]
    provider = claims.get("provider")
    return Caller(
        roles[-1] if roles else Role.PUBLIC,
        str(claims.get("name") or claims["sub"])[:200],
        frozenset(word.upper() for word in words) & _SCOPES,
        provider if isinstance(provider, str) else None,
        str(claims["sub"])[:200],
        until=time.monotonic() + float(claims["exp"]) + _LEEWAY - time.time(),
    )


_SCOPES = frozenset(scope.value for scope in ApiKeyScope)


def _words(scope: object) -> Sequence[str]:
    if isinstance(scope, str):
        return scope.split()
    return [word for word in scope if isinstance(word, str)] if isinstance(scope, list) else []
