"""Requests of a patient client: one key, another process for each try, all written down."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from tests.chaos.history import FAIL, INFO, INVOKE, OK, History
from tests.chaos.system import App

#: After this long a client gives up one try.
GIVE_UP_S = 8.0
TRIES = 14
_AGAIN = frozenset({429, 500, 502, 503, 504})


class Caller:
    """All clients' way to the apps: round robin over the processes, whatever state they are in."""

    def __init__(self, apps: Sequence[App], history: History, *, seed: int) -> None:
        self.seed = seed
        #: Each request of an operator is sent up to so many times at once (N14).
        self.repeats = 1
        self._apps = list(apps)
        self._history = history
        self._turn = 0
        self._random = random.Random(f"{seed}/calls")
        limits = httpx.Limits(max_connections=60, max_keepalive_connections=30)
        self._clients = [
            httpx.AsyncClient(base_url=f"{app.url}/api/v1", timeout=GIVE_UP_S, limits=limits)
            for app in apps
        ]

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(client.aclose() for client in self._clients))

    def next_app(self) -> App:
        """Name the process whose turn it is."""
        self._turn += 1
        return self._apps[self._turn % len(self._apps)]

    def _after(self, app: App) -> App:
        """Name another process than the one that did not answer, whoever asks meanwhile."""
        return self._apps[(self._apps.index(app) + 1) % len(self._apps)]

    async def post(
        self, p: str, f: str, path: str, body: Mapping[str, Any], **more: Any
    ) -> dict[str, Any] | None:
        """Post until the answer is definite; None when it is a refusal or none ever comes."""
        return await self.send(p, f, "POST", path, body, **more)

    async def send(
        self,
        p: str,
        f: str,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        key: str,
        token: str | None,
        note: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        tries: int = TRIES,
    ) -> dict[str, Any] | None:
        """Send until the answer is definite; the status is under `_status`, the ETag `_etag`."""
        sent = {"Idempotency-Key": key, **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        wait_s, app = 0.2, self.next_app()
        for number in range(tries):
            answer = await self._try(p, f, method, path, body, sent, key, number, note or {}, app)
            if answer is not None:
                return answer
            await asyncio.sleep(wait_s * self._random.uniform(0.5, 1.0))
            wait_s, app = min(2.0, wait_s * 1.7), self._after(app)
        return None

    async def _try(  # noqa: PLR0917 - one try is what it is
        self, p: str, f: str, method: str, path: str, body: Mapping[str, Any] | None,
        headers: Mapping[str, str], key: str, number: int, note: Mapping[str, Any], app: App,
    ) -> dict[str, Any] | None:  # fmt: skip
        said = {"app": app.number, "try": number, **note}
        self._history.note(p, INVOKE, f, key, **said, body=body)
        began = time.monotonic()
        try:
            answer = await self._clients[app.number].request(
                method, path, json=body, headers=dict(headers)
            )
        except httpx.HTTPError as error:
            said |= {"ms": _ms(began), "error": type(error).__name__}
            self._history.note(p, INFO, f, key, **said)
            return None
        said |= {"ms": _ms(began), "status": answer.status_code}
        content = _content(answer)
        if answer.is_success:
            replayed = "idempotent-replayed" in answer.headers
            brief = {k: content[k] for k in _BRIEF if k in content}
            alerts = [one["responder"] for one in content.get("alerts", ())]
            self._history.note(p, OK, f, key, **said, replayed=replayed, answer=brief, asked=alerts)
        elif answer.status_code in _AGAIN:
            self._history.note(p, INFO, f, key, **said, retry=answer.headers.get("retry-after"))
            return None
        else:
            state = content.get("state")
            said |= {"code": content.get("code"), "state": state}
            self._history.note(p, FAIL, f, key, **said)
        return content | {"_status": answer.status_code, "_etag": answer.headers.get("etag", "")}


#: What is kept of an answer.
_BRIEF = ("id", "version", "status", "note", "number", "kind", "severity", "address")


def _content(answer: httpx.Response) -> dict[str, Any]:
    try:
        found: Any = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _ms(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)
