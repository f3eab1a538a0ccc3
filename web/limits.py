"""Refuses bodies that are too big: at once where they say so, else when the limit is passed."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import problems

#: No body of ours is near this; imports go by the command line.
BODY_MOST_BYTES = 1_000_000


class BodyLimit:
    """Answers 413; plain ASGI, inside of what turns exceptions into problem documents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > BODY_MOST_BYTES:
            await problems.answer(request, "too_big")(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_MOST_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_counted, send)
