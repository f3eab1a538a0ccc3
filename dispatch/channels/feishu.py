"""Feishu's group bot: signed with HMAC-SHA256 over nothing, keyed by "seconds, line feed, secret".

It looks like DingTalk's signature and is another one: seconds, and the text is the key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import Any

import httpx
import orjson

from dispatch import outside
from dispatch.channels import outgoing, texts
from dispatch.channels.message import Message, Sent, Undelivered
from dispatch.ladder import Channel

#: "Too many requests" (100 a minute, 5 a second) and "internal error".
_PASSING = {9499, 11232, 11247, 19001}


@dataclass(frozen=True, slots=True)
class Feishu:
    """A bot in the group of those who answer."""

    http: httpx.AsyncClient
    clock: Callable[[], datetime]
    url: str
    hook: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def channel(self) -> Channel:
        """Name the channel."""
        return Channel.FEISHU

    @property
    def is_test(self) -> bool:
        """Say whether the gateway is a double on this machine."""
        return outside.is_loopback(self.url)

    async def send(self, message: Message) -> Sent:
        """Write into the group and call the people by their accounts. Raises Undelivered."""
        at_s = str(int(self.clock().timestamp()))
        called = "".join(f'<at user_id="{escape(one)}"></at>' for one in message.accounts)
        body: dict[str, Any] = {
            "msg_type": "text",
            "content": {"text": f"{texts.whole(message)} {called}".rstrip()},
        }
        if self.secret:
            body |= {"timestamp": at_s, "sign": sign(self.secret, at_s)}
        answer = await outgoing.call(
            self.http, "POST", f"{self.url.rstrip('/')}/open-apis/bot/v2/hook/{self.hook}",
            hosts={outside.host_of(self.url)}, content=orjson.dumps(body),
            headers={"content-type": "application/json"},
        )  # fmt: skip
        outgoing.refuse(answer)
        said = answer.json()
        code = said.get("code", said.get("StatusCode"))
        if code != 0:
            raise Undelivered(f"code_{code}"[:60], is_final=code not in _PASSING)
        return Sent()


def sign(secret: str, at_s: str) -> str:
    """Sign a time in seconds."""
    key = f"{at_s}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
