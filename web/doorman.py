"""Who asks is who they show that they are; each role has a face of the directory of its own.

Most show nothing, and go straight to the public face. A face has its own schema, its own
connections to Postgres, which read as its own role there, and its own memory of answers: nothing is
shared between roles that could be mixed up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schema.roles import Role
from web.admission import Admission
from web.media_types import MediaType
from web.refusals import Refusal
from web.response import refuse


class Doorman:
    """Sends each request to the face for its caller, or away."""

    def __init__(
        self,
        admission: Admission,
        public: ASGIApp,
        face: Callable[[Role], Awaitable[ASGIApp]],
    ) -> None:
        self.admission = admission
        self.public = public
        self.face = face

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = api_key = None
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value if authorization is None else authorization + b"," + value
            elif name == b"x-api-key":
                api_key = value if api_key is None else api_key + b"," + value
        if authorization is None and api_key is None:
            await self.public(scope, receive, send)
            return
        try:
            caller = await self.admission.admit(scope, authorization, api_key)
        except Refusal as refusal:
            if scope["type"] == "websocket":
                # Before it was accepted, this is a 403.
                await send({"type": "websocket.close", "code": 4403, "reason": refusal.detail})
            else:
                await refuse(send, MediaType.JSON, refusal)
            return
        app = self.public if caller.role is Role.PUBLIC else await self.face(caller.role)
        await app(scope, receive, _privately(send))


def _privately(send: Send) -> Send:
    """What is answered to somebody is for their own cache, and no other."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, b"private, " + value if value == b"no-cache" else value)
                if name == b"cache-control"
                else (name, value)
                for name, value in message["headers"]
            ]
        await send(message)

    return sent
