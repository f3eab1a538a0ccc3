"""DingTalk's group robot: signed with HMAC-SHA256 over "milliseconds, line feed, secret"."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

import httpx
import orjson

from dispatch import outside
from dispatch.channels import outgoing, texts
from dispatch.channels.message import Message, Sent, Undelivered
from dispatch.ladder import Channel

#: "System busy" and "sending too fast" (20 a minute).
_PASSING = {-1, 130101, 410100, 660026}


@dataclass(frozen=True, slots=True)
class DingTalk:
    """A robot in the group of those who answer."""

    http: httpx.AsyncClient
    clock: Callable[[], datetime]
    url: str
    token: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def channel(self) -> Channel:
        """Name the channel."""
        return Channel.DINGTALK

    @property
    def is_test(self) -> bool:
        """Say whether the gateway is a double on this machine."""
        return outside.is_loopback(self.url)

    async def send(self, message: Message) -> Sent:
        """Write into the group and call the people by their accounts. Raises Undelivered."""
        at_ms = str(round(self.clock().timestamp() * 1000))
        query = {"access_token": self.token}
        if self.secret:
            query |= {"timestamp": at_ms, "sign": sign(self.secret, at_ms)}
        called = " ".join(f"@{account}" for account in message.accounts)
        body = {
            "msgtype": "text",
            "text": {"content": f"{texts.whole(message)} {called}".rstrip()},
            "at": {"atUserIds": list(message.accounts), "isAtAll": False},
        }
        answer = await outgoing.call(
            self.http, "POST", f"{self.url.rstrip('/')}/robot/send?{urlencode(query)}",
            hosts={outside.host_of(self.url)}, content=orjson.dumps(body),
            headers={"content-type": "application/json"},
        )  # fmt: skip
        outgoing.refuse(answer)
        code = answer.json().get("errcode")
        if code != 0:
            raise Undelivered(f"errcode_{code}"[:60], is_final=code not in _PASSING)
        return Sent()


def sign(secret: str, at_ms: str) -> str:
    """Sign a time in milliseconds; the secret is the key and stands in the text as well."""
    text = f"{at_ms}\n{secret}".encode()
    return base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).decode()
