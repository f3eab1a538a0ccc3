"""SMS by Aliyun's Dysmsapi `SendSms`; receipts come back as SmsReport.

The words stand in templates that the gateway has approved; docs/channels.md gives them.
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


@dataclass(frozen=True, slots=True)
class Sms:
    """The SMS gateway with its templates, by what they say."""

    http: httpx.AsyncClient
    clock: Callable[[], datetime]
    key: aliyun.Key
    url: str
    sign_name: str
    templates: Mapping[Purpose, str]

    @property
    def channel(self) -> Channel:
        """Name the channel."""
        return Channel.SMS

    @property
    def is_test(self) -> bool:
        """Say whether the gateway is a double on this machine."""
        return outside.is_loopback(self.url)

    async def send(self, message: Message) -> Sent:
        """Send an SMS. Raises Undelivered."""
        number = numbers.dialable(message.phone)
        template = self.templates.get(message.purpose, "")
        if number is None or not template:
            raise Undelivered("bad_number" if number is None else "no_template", is_final=True)
        params = {
            "PhoneNumbers": number,
            "SignName": self.sign_name,
            "TemplateCode": template,
            "TemplateParam": orjson.dumps(template_values(message)).decode(),
            "OutId": message.key.hex,
        }
        said = await aliyun.call(
            self.http, self.key, self.url, "SendSms", params,
            nonce=uuid4().hex, now=self.clock(),
        )  # fmt: skip
        return Sent(str(said.get("BizId", ""))[:100])


def template_values(message: Message) -> dict[str, str]:
    """Give the values of a template: what is the matter, how far, and the link's last part."""
    values = {
        "what": texts.prefix(message) + texts.kind(message),
        "where": texts.distance(message),
        "code": message.link.rsplit("/", 1)[-1],
    }
    wanted = {
        Purpose.ALERT: ("what", "where", "code"),
        Purpose.MISSION: ("code",),
        Purpose.STAND_DOWN: (),
        Purpose.PROBE: (),
        Purpose.SURVEY: (),
        Purpose.REMINDER: (),
    }[message.purpose]
    return {name: values[name] for name in wanted}
