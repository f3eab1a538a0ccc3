"""Refuses bodies that are too big: at once where they say so, else when the limit is passed."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web import problems

#: No body of ours is near this, but for the ones named below.
BODY_MOST_BYTES = 1_000_000
#: Files that people send, by their addresses.
_FILES = (
    (re.compile(r"/api/v1/aeds/[^/]+/photos"), 8_000_000),
    (re.compile(r"/api/v1/incidents/[^/]+/attachments"), 8_000_000),
    (re.compile(r"/api/v1/imports/[^/]+"), 32 * 1024 * 1024),
)


def most_bytes(path: str) -> int:
    """Say how long the body of a request to this address may be."""
    return next((most for address, most in _FILES if address.fullmatch(path)), BODY_MOST_BYTES)


class BodyLimit:
    """Answers 413; plain ASGI, inside of what turns exceptions into problem documents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, most = Request(scope), most_bytes(scope["path"])
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > most:
            await problems.answer(request, "too_big")(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_counted, send)
