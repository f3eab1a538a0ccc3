"""Smaller files for phones on slow networks: the built scripts and styles, and nothing else.

Answers about people are not compressed: their length would tell what they hold (BREACH).
"""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

#: Most of the gain for a third of the time of the highest level.
LEVEL = 5


class CompressedFiles:
    """Compresses what lies under /assets, which browsers load once and keep."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        is_file = scope["type"] == "http" and scope["path"].startswith("/assets/")
        await (self._compressed if is_file else self._app)(scope, receive, send)
