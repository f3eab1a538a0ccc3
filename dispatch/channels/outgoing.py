"""Calls to the outside: bounded in time and size, never redirected, only to hosts that are known.

Whatever a gateway answers is untrusted: it is read up to a limit, and must be what was expected.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from dispatch import outside
from dispatch.channels.message import Undelivered

#: A gateway that takes longer than this is given up; the message is tried again.
WITHIN_S = 4.0
#: No answer of a gateway is near this.
ANSWER_MOST_BYTES = 65_536
RETRY_AFTER_MOST_S = 300.0

# httpx logs whole addresses, and some gateways want their secret in the address.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway said."""

    status: int
    body: bytes
    retry_after_s: float | None

    def json(self) -> dict[str, Any]:
        """Read a JSON object. Raises Undelivered when it is none."""
        try:
            found = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise Undelivered("bad_answer")
        return found


def client() -> AbstractAsyncContextManager[httpx.AsyncClient]:
    """Make the one client of a process; proxies of the environment are not used."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(WITHIN_S, pool=WITHIN_S),
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_connections=128, max_keepalive_connections=32),
    )


async def call(
    http: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    hosts: Collection[str],
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Send one request and read its answer. Raises Undelivered with a reason in one word."""
    if not outside.is_allowed(url, hosts):
        raise Undelivered("host_not_allowed", is_final=True)
    try:
        async with http.stream(method, url, content=content, headers=headers) as response:
            body = await _read(response)
            return Answer(response.status_code, body, _retry_after(response))
    except httpx.TimeoutException:
        raise Undelivered("timeout") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Undelivered("unreachable") from None


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > ANSWER_MOST_BYTES:
            raise Undelivered("answer_too_big")
    return bytes(body)


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    if text.isascii() and text.isdigit():
        return min(float(text), RETRY_AFTER_MOST_S)
    try:
        until, sent = parsedate_to_datetime(text), response.headers.get("date", "")
        wait_s = (until - parsedate_to_datetime(sent)).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait_s, 0.0), RETRY_AFTER_MOST_S)


def refuse(answer: Answer) -> None:
    """Raise Undelivered for whatever is no success: what may pass again later, and what may not."""
    if 200 <= answer.status < 300:
        return
    is_passing = answer.status in {408, 425, 429} or answer.status >= 500
    raise Undelivered(
        f"http_{answer.status}", is_final=not is_passing, retry_after_s=answer.retry_after_s
    )
