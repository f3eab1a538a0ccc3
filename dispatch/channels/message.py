"""What a channel is given to send, what came of it, and what every channel promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from dispatch import states
from dispatch.ladder import Channel, Purpose


@dataclass(frozen=True, slots=True)
class Device:
    """One browser that takes web push, with the keys that it gave."""

    id: UUID
    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one person, or to several of one incident where a channel merges them.

    No name, address, phone or diagnosis of a patient is in it. `key` stays the same however often
    the message is sent; gateways give it back with their receipts.
    """

    key: UUID
    purpose: Purpose
    alert_id: UUID
    kind: states.Kind
    exercise: bool
    language: str
    org: str
    ttl_s: int
    distance_m: int | None = None
    # The short link, where the channel carries one; and the code in it, to confirm with.
    link: str = ""
    code: str = ""
    phone: str = ""
    accounts: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A gateway took the message; `gone` are devices that it says are no more."""

    provider_id: str = ""
    gone: tuple[UUID, ...] = ()


class Undelivered(Exception):
    """A gateway did not take the message; `is_final` says that trying again is of no use."""

    def __init__(
        self,
        why: str,
        *,
        is_final: bool = False,
        retry_after_s: float | None = None,
        gone: tuple[UUID, ...] = (),
    ) -> None:
        super().__init__(why)
        self.why = why
        self.is_final = is_final
        self.retry_after_s = retry_after_s
        self.gone = gone


class Gateway(Protocol):
    """A way out of this system; `is_test` where it ends on this machine."""

    @property
    def channel(self) -> Channel:
        """Name the channel."""

    @property
    def is_test(self) -> bool:
        """Say whether the gateway is a double on this machine."""

    async def send(self, message: Message) -> Sent:
        """Hand a message over. Raises Undelivered."""
