"""A patient HTTP client: one key a request, kept over retries, so that nothing happens twice."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

#: A phone in a lift shaft tries this long before it gives up on one request.
GIVE_UP_S = 90.0


class Refused(Exception):
    """The system answered with a problem that a retry does not mend."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status = status
        self.problem = problem


class Unreachable(Exception):
    """The system gave no answer for as long as a client is patient."""


class Api:
    """One person's view of the system: a base address, a token and shared connections."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **query: Any) -> Any:
        """Read."""
        return await self._send("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Create or act, under one Idempotency-Key however often it takes."""
        return await self._send("POST", path, json=body or {}, key=str(uuid.uuid4()))

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        """Replace; putting twice is the same as once."""
        return await self._send("PUT", path, json=body)

    async def _send(self, method: str, path: str, *, key: str | None = None, **rest: Any) -> Any:
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        wait = 0.1
        try:
            async with asyncio.timeout(GIVE_UP_S):
                while True:
                    answer = await self._try(method, path, headers, rest)
                    if answer is not None:
                        return _body(answer)
                    await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311  # jitter
                    wait = min(2.0, wait * 2)
        except TimeoutError:
            raise Unreachable(f"{method} {path}") from None

    async def _try(
        self, method: str, path: str, headers: Mapping[str, str], rest: Mapping[str, Any]
    ) -> httpx.Response | None:
        try:
            answer = await self._client.request(
                method, f"/api/v1{path}", headers=headers, timeout=10, **rest
            )
        except httpx.TransportError:
            return None
        return None if answer.status_code in {429, 502, 503, 504} else answer


def _body(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text[:200]}
    raise Refused(answer.status_code, problem)
