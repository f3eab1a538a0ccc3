"""Calls by Aliyun's Dyvmsapi `IvrCall`: the text is read out, key 1 says yes and key 2 no.

Keys and the end of the call come back as VoiceCallReport and VoiceReport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import httpx
import orjson

from dispatch import outside
from dispatch.channels import aliyun, numbers, texts
from dispatch.channels.message import Message, Sent, Undelivered
from dispatch.ladder import Channel, Purpose

YES, NO = "1", "2"
_RING_S = 10


@dataclass(frozen=True, slots=True)
class Voice:
    """The voice gateway with its templates, by what they say; `thanks` follows a key."""

    http: httpx.AsyncClient
    clock: Callable[[], datetime]
    key: aliyun.Key
    url: str
    number: str
    templates: Mapping[Purpose, str]
    thanks: str

    @property
    def channel(self) -> Channel:
        """Name the channel."""
        return Channel.VOICE

    @property
    def is_test(self) -> bool:
        """Say whether the gateway is a double on this machine."""
        return outside.is_loopback(self.url)

    async def send(self, message: Message) -> Sent:
        """Begin a call. Raises Undelivered."""
        number = numbers.dialable(message.phone)
        template = self.templates.get(message.purpose, "")
        if number is None or not template:
            raise Undelivered("bad_number" if number is None else "no_template", is_final=True)
        said = await aliyun.call(
            self.http, self.key, self.url, "IvrCall", self._params(message, number, template),
            nonce=uuid4().hex, now=self.clock(),
        )  # fmt: skip
        return Sent(str(said.get("CallId", ""))[:100])

    def _params(self, message: Message, number: str, template: str) -> dict[str, str]:
        spoken = {"what": texts.prefix(message) + texts.kind(message)}
        params = {
            "CalledShowNumber": self.number,
            "CalledNumber": number,
            "StartCode": template,
            "StartTtsParams": orjson.dumps(spoken).decode(),
            "PlayTimes": "2",
            "Timeout": str(_RING_S * 1000),
            "OutId": message.key.hex,
        }
        if message.purpose is Purpose.ALERT:
            for place, pressed in enumerate((YES, NO), start=1):
                params[f"MenuKeyMap.{place}.Key"] = pressed
                params[f"MenuKeyMap.{place}.Code"] = self.thanks or template
        return params
