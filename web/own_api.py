"""Asks this app's own API from within: a page says exactly what the API says, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
from starlette.requests import Request

#: What tells who is asking and from which site; everything else of the request stays here.
_IDENTITY = ("cookie", "origin", "sec-fetch-site")


async def get(request: Request, path: str, **query: str | float) -> httpx.Response:
    """Ask as a stranger, so that no answer holds more than everybody may know."""
    async with _client(request) as client:
        return await client.get(path, params=query)


async def post(request: Request, path: str, body: Mapping[str, Any], key: str) -> httpx.Response:
    """Send a change as whoever is asking, once per key."""
    known = {name: request.headers[name] for name in _IDENTITY if name in request.headers}
    async with _client(request) as client:
        return await client.post(path, json=body, headers={**known, "Idempotency-Key": key})


def _client(request: Request) -> httpx.AsyncClient:
    peer = ("", 0) if request.client is None else (request.client.host, request.client.port)
    inside = httpx.ASGITransport(request.app, raise_app_exceptions=False, client=peer)
    return httpx.AsyncClient(transport=inside, base_url=str(request.base_url))
