"""The live log without a socket: polls that wait for news, acks and positions over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import orjson

#: What a request may take beyond the wait that it asks for.
MARGIN_S = 10.0

_CODES = {401: 4001, 403: 4003}


class Failed(Exception):
    """A request got no answer or a refusal; `code` is the close code that means the same."""

    def __init__(self, code: int | None = None) -> None:
        super().__init__(f"refused, as a socket with {code}")
        self.code = code


class Polls:
    """One client's requests."""

    def __init__(self, live_url: str, headers: Mapping[str, str]) -> None:
        """Take the address of the socket; the other ones are beside it."""
        self._base = live_url.replace("ws", "http", 1)
        self._client = httpx.AsyncClient(headers=dict(headers), trust_env=False)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def poll(self, topics: Mapping[str, object], wait_s: int) -> list[dict[str, Any]]:
        """Ask what is new and give the frames. Raises Failed."""
        body = {"topics": dict(topics), "wait_s": wait_s}
        return await self._frames("POST", f"{self._base}/poll", body, within_s=wait_s + MARGIN_S)

    async def send(self, frame: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Send an ack or a position and give the frames that answer it. Raises Failed."""
        if frame["type"] == "ack":
            acks = {"acks": [{"alert": frame["alert"], "level": frame["level"]}]}
            return await self._frames("POST", f"{self._base}/acks", acks)
        where = {name: value for name, value in frame.items() if name != "type"}
        await self._ask("PUT", f"{self._base.removesuffix('/live')}/me/position", where)
        return []

    async def _frames(
        self, verb: str, url: str, body: object, *, within_s: float = MARGIN_S
    ) -> list[dict[str, Any]]:
        answer = await self._ask(verb, url, body, within_s=within_s)
        frames: list[dict[str, Any]] = orjson.loads(answer.content)["frames"]
        return frames

    async def _ask(
        self, verb: str, url: str, body: object, *, within_s: float = MARGIN_S
    ) -> httpx.Response:
        content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
        sent = {"Content-Type": "application/json"}
        try:
            answer = await self._client.request(
                verb, url, content=content, headers=sent, timeout=within_s
            )
        except httpx.TransportError as error:
            raise Failed from error
        if not answer.is_success:
            raise Failed(_CODES.get(answer.status_code))
        return answer
