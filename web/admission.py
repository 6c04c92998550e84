"""Who asks, noted in the scope of what they send, with all that the rest needs to know of them."""

from __future__ import annotations

from functools import partial

from starlette.types import Scope

from web.identity import CALLER, Caller, Identity, shown_by
from web.vigil import Vigil

SHOWN = "shown"
"""Where in an ASGI scope is the key or token itself."""

CHARGE = "charge"
"""... what takes more of a caller's budget than one request does."""

AGAIN = "again"
"""... what finds out anew who asks, for what lasts longer than a request."""

OVER = "over"
"""... what waits until that is not who they were any more, and says why."""


class Admission:
    """Lets in who shows something that opens something."""

    def __init__(self, identity: Identity, vigil: Vigil) -> None:
        self._identity = identity
        self._vigil = vigil

    async def admit(
        self, scope: Scope, authorization: bytes | None, api_key: bytes | None
    ) -> Caller:
        """Who shows these; raises a Refusal for who shows anything that opens nothing."""
        shown = shown_by(authorization, api_key)
        caller = await self._identity.caller(shown)
        scope[SHOWN] = shown
        scope[CALLER] = caller
        scope[CHARGE] = partial(self._identity.charge, caller)
        scope[AGAIN] = partial(self._identity.caller, shown)
        scope[OVER] = partial(self._vigil.over, shown, caller)
        return caller
