"""PURE  What a client of the live log may be told to do: the answers of `live_machine`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Frame = dict[str, Any]


class Via(StrEnum):
    """How the client and the server speak."""

    SOCKET = "socket"
    POLL = "poll"


class Phase(StrEnum):
    """How the connection stands."""

    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    SIGN_IN = "sign_in"
    REFUSED = "refused"


# ---- what is to be done


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a socket; say `opened` when it is."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Leave what is open in this way, at once; nothing of it is to be told any more."""

    via: Via


@dataclass(frozen=True, slots=True)
class Send:
    """Send a frame."""

    via: Via
    frame: Frame


@dataclass(frozen=True, slots=True)
class Poll:
    """Ask what is new; in place of a poll that is under way."""

    topics: Mapping[str, object]
    wait_s: int


@dataclass(frozen=True, slots=True)
class Hear:
    """Give a frame to the app: a snapshot, the next event, positions, an ack_ok, an error."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class State:
    """The connection stands so from now on."""

    phase: Phase


Output = Connect | Drop | Send | Poll | Hear | State
