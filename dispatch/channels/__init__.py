"""The ways out: one module per channel, each speaking its gateway's documented protocol.

Only this package calls the outside. It knows no database; `delivering` gives it messages and keeps
what came of them.
"""

from __future__ import annotations

from dispatch.channels.message import Device, Gateway, Message, Sent, Undelivered
from dispatch.channels.setup import Standing, gateways, standings

__all__ = [
    "Device",
    "Gateway",
    "Message",
    "Sent",
    "Standing",
    "Undelivered",
    "gateways",
    "standings",
]
