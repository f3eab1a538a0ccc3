"""Web push (RFC 8030), encrypted for each device (RFC 8291) and signed with our key (RFC 8292).

A message holds no place and no phone number. A push service may show only the latest of a topic,
and a phone only one notification of a tag: whatever is sent twice is shown once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException

from dispatch import outside, vapid
from dispatch.channels import outgoing, texts
from dispatch.channels.message import Device, Message, Sent, Undelivered
from dispatch.ladder import Channel, Purpose

_GONE = {404, 410}
#: How long a signature holds; services refuse more than a day.
_SIGNED_S = 12 * 3600


@dataclass(frozen=True, slots=True)
class WebPush:
    """The key, and the push services that may be called; `base_url` is opened by a tap."""

    http: httpx.AsyncClient
    clock: Callable[[], datetime]
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    subject: str
    base_url: str
    extra_hosts: tuple[str, ...] = ()

    @property
    def channel(self) -> Channel:
        """Name the channel."""
        return Channel.WEB_PUSH

    @property
    def is_test(self) -> bool:
        """Say whether every push service is a double on this machine."""
        return outside.is_test(self.extra_hosts)

    async def send(self, message: Message) -> Sent:
        """Push to all devices of a person; one that takes it is enough. Raises Undelivered."""
        devices = [one for one in message.devices if self._may_get(one, message)]
        if not devices:
            raise Undelivered("no_device", is_final=True)
        outcomes = await asyncio.gather(*(self._push(one, message) for one in devices))
        gone = tuple(
            device.id
            for device, outcome in zip(devices, outcomes, strict=True)
            if outcome is not None and outcome.gone
        )
        if any(outcome is None for outcome in outcomes):
            return Sent(gone=gone)
        worst = min((one for one in outcomes if one is not None), key=lambda one: one.is_final)
        raise Undelivered(
            worst.why, is_final=worst.is_final, retry_after_s=worst.retry_after_s, gone=gone
        )

    def _may_get(self, device: Device, message: Message) -> bool:
        return not message.exercise or outside.is_loopback(device.endpoint)

    async def _push(self, device: Device, message: Message) -> Undelivered | None:
        try:
            body = await asyncio.to_thread(encrypt, device, payload(message, self.base_url))
            answer = await outgoing.call(
                self.http, "POST", device.endpoint, hosts={*outside.PUSH_HOSTS, *self.extra_hosts},
                content=body, headers=self._headers(device, message),
            )  # fmt: skip
            if answer.status in _GONE:
                return Undelivered("gone", is_final=True, gone=(device.id,))
            outgoing.refuse(answer)
        except Undelivered as problem:
            return problem
        return None

    def _headers(self, device: Device, message: Message) -> dict[str, str]:
        place = urlsplit(device.endpoint)
        claims = {
            "aud": f"{place.scheme}://{place.netloc}",
            "exp": int(self.clock().timestamp()) + _SIGNED_S,
            "sub": self.subject,
        }
        return {
            **Vapid02(self.key).sign(claims),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(max(0, message.ttl_s)),
            "urgency": "low" if message.purpose in _QUIET else "high",
            "topic": topic(message),
        }


#: Nobody is woken for these.
_QUIET = frozenset({Purpose.PROBE, Purpose.REMINDER})


def topic(message: Message) -> str:
    """Name what a message replaces; a stand-down replaces its alert."""
    return vapid.encode(hashlib.sha256(message.alert_id.bytes).digest())[:32]


def payload(message: Message, base_url: str) -> bytes:
    """Write what the phone shows, as Declarative Web Push wants it and our service worker reads."""
    return orjson.dumps(
        {
            "web_push": 8030,
            "mutable": True,
            "notification": {
                "title": texts.title(message),
                "body": _body(message),
                "lang": "en" if message.language == "en" else "zh-CN",
                "tag": str(message.alert_id),
                "navigate": f"{base_url}/go",
                "silent": message.purpose in _QUIET,
            },
            "purpose": message.purpose.value,
            "alert": str(message.alert_id),
            "code": message.code,
        }
    )


def _body(message: Message) -> str:
    if message.purpose is not Purpose.ALERT:
        return texts.body(message)
    if message.language == "en":
        return f"{texts.kind(message).capitalize()} nearby. Can you go?"
    return f"附近有人{texts.kind(message)}，能否前往？"


def encrypt(device: Device, content: bytes) -> bytes:
    """Encrypt for one device. Raises Undelivered when its keys cannot be used."""
    keys = {"p256dh": device.p256dh, "auth": device.auth}
    try:
        pusher = WebPusher({"endpoint": device.endpoint, "keys": keys})
        return bytes(pusher.encode(content)["body"])
    except (WebPushException, ValueError):
        raise Undelivered("bad_keys", is_final=True) from None
