"""PURE. By which ways a person is told, in which order: one list of rungs per severity, as data.

A rung says when its channel is tried if nothing has been heard. The first answer on any channel
ends the ladder; `deliveries` keeps one row per rung, `delivering` climbs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from dispatch import states

Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Channel(StrEnum):
    """By what way a person is told."""

    LIVE = "live"
    WEB_PUSH = "web_push"
    SMS = "sms"
    VOICE = "voice"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


#: Channels that need a gateway, in the order in which they are listed to people.
GATEWAYS = tuple(channel for channel in Channel if channel is not Channel.LIVE)


class Purpose(StrEnum):
    """What the message says."""

    ALERT = "alert"
    STAND_DOWN = "stand_down"
    # To who accepted without the app: the way to the mission.
    MISSION = "mission"
    # A silent question whether messages still get there.
    PROBE = "probe"
    # How are you, some time after a mission; never by more than the app and web push.
    SURVEY = "survey"
    # A certificate that ends: by the first channel of `personal` that takes it, by day.
    REMINDER = "reminder"


class Unless(StrEnum):
    """What makes a rung needless before its time, besides an answer."""

    # A phone has confirmed that it has the alert.
    ACKNOWLEDGED = "acknowledged"
    # The person has looked at the alert.
    SEEN = "seen"
    # Only an answer does.
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: the channel, and after how long if nothing has been heard.

    `connected_after_s` holds where the person's phone is connected now; None: the same time.
    `kinds` are the kinds of incident it is for; empty: all.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)
    channel: Channel
    after_s: Seconds = 0.0
    connected_after_s: Seconds | None = None
    unless: Unless = Unless.ACKNOWLEDGED
    kinds: tuple[states.Kind, ...] = ()


_URGENT = (
    Rung(Channel.LIVE),
    Rung(Channel.WEB_PUSH, 0, 8),
    Rung(Channel.SMS, 0, 8),
    Rung(Channel.WECOM, 5),
    Rung(Channel.DINGTALK, 5),
    Rung(Channel.FEISHU, 5),
    # A phone in a pocket that has the alert may be silent; a call rings.
    Rung(Channel.VOICE, 15, unless=Unless.SEEN),
)
_CALM = (
    Rung(Channel.LIVE),
    Rung(Channel.WEB_PUSH, 0, 8),
    Rung(Channel.SMS, 20),
    Rung(Channel.WECOM, 10),
    Rung(Channel.DINGTALK, 10),
    Rung(Channel.FEISHU, 10),
)
#: The shipped ladder, by severity.
DEFAULT: Mapping[int, tuple[Rung, ...]] = {1: _URGENT, 2: _URGENT, 3: _CALM, 4: _CALM}


def choose(rungs: Iterable[Rung], kind: states.Kind) -> tuple[Rung, ...]:
    """Return the rungs for a kind of incident; each channel once, the live one always first."""
    wanted: dict[Channel, Rung] = {Channel.LIVE: Rung(Channel.LIVE)}
    for rung in rungs:
        if not rung.kinds or kind in rung.kinds:
            wanted.setdefault(rung.channel, rung)
    return tuple(wanted.values())


#: Group robots speak to everybody in a group, and a call rings: neither is for what can wait.
_LOUD = frozenset({Channel.LIVE, Channel.DINGTALK, Channel.FEISHU, Channel.VOICE})


def personal(rungs: Iterable[Rung]) -> tuple[Channel, ...]:
    """Name the channels of a ladder that tell one person alone and quietly, the earliest first."""
    quiet = [rung for rung in rungs if rung.channel not in _LOUD]
    return tuple(rung.channel for rung in sorted(quiet, key=lambda rung: rung.after_s))
