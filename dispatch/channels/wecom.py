"""WeCom application messages: `gettoken`, then `message/send` to the person's account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson

from dispatch import outside
from dispatch.channels import outgoing, texts
from dispatch.channels.message import Message, Sent, Undelivered
from dispatch.ladder import Channel

#: Answers that say that the token is over: a new one is fetched.
_TOKEN_OVER = {40014, 42001}
_PASSING = {-1, 45009, 45033, *_TOKEN_OVER}
#: A token is fetched again so long before its end.
_EARLY = timedelta(minutes=5)


@dataclass(slots=True)
class WeCom:
    """The application, with the token that it was last given."""

    http: httpx.AsyncClient
    clock: Callable[[], datetime]
    url: str
    corp_id: str
    agent_id: int
    secret: str = field(repr=False)
    _token: str = field(default="", repr=False)
    _until: datetime | None = None

    @property
    def channel(self) -> Channel:
        """Name the channel."""
        return Channel.WECOM

    @property
    def is_test(self) -> bool:
        """Say whether the gateway is a double on this machine."""
        return outside.is_loopback(self.url)

    async def send(self, message: Message) -> Sent:
        """Send a text; the same text to the same people twice is shown once. Raises Undelivered."""
        query = urlencode({"access_token": await self._access_token()})
        body = {
            "touser": "|".join(message.accounts),
            "msgtype": "text",
            "agentid": self.agent_id,
            "text": {"content": texts.whole(message)},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": 600,
        }
        said = await self._call("POST", f"/cgi-bin/message/send?{query}", orjson.dumps(body))
        if said.get("invaliduser"):
            raise Undelivered("invaliduser", is_final=True)
        return Sent(str(said.get("msgid", ""))[:100])

    async def _access_token(self) -> str:
        now = self.clock()
        if self._until is None or now >= self._until:
            query = urlencode({"corpid": self.corp_id, "corpsecret": self.secret})
            said = await self._call("GET", f"/cgi-bin/gettoken?{query}", b"")
            lasts_s = said.get("expires_in")
            if not isinstance(lasts_s, int) or not isinstance(said.get("access_token"), str):
                raise Undelivered("bad_answer")
            self._token = said["access_token"]
            self._until = now + timedelta(seconds=lasts_s) - _EARLY
        return self._token

    async def _call(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        answer = await outgoing.call(
            self.http, method, f"{self.url.rstrip('/')}{path}",
            hosts={outside.host_of(self.url)}, content=body,
            headers={"content-type": "application/json"} if body else None,
        )  # fmt: skip
        outgoing.refuse(answer)
        said = answer.json()
        code = said.get("errcode", 0)
        if code in _TOKEN_OVER:
            self._until = None
        if code != 0:
            raise Undelivered(f"errcode_{code}"[:60], is_final=code not in _PASSING)
        return said
