"""PURE  What is broken in the way of an alert, since when, and how one process finds it in itself.

An alert goes through the database, the log's tailer, the hub and a socket, or through a runner and
a gateway. Each of these is watched; what is found is a `Fault`, and for as long as it is found
again and again it is one `Trouble` with one beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """A link that is broken; docs/realtime.md says of each what it means and what to do."""

    DATABASE = "database"  # PostgreSQL does not answer this process, or takes nothing
    FAN_OUT = "fan_out"  # what is stored does not reach the sockets of this process
    HINTS = "hints"  # Redis brings nothing: all comes up to a second later
    WORKER = "worker"  # no runner is alive: no waves, no messages
    TIMERS = "timers"  # due timers are not fired
    OUTBOX = "outbox"  # due messages are not sent
    CHANNEL = "channel"  # a gateway refuses messages
    CLOCK = "clock"  # the clocks of machine and database are apart


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was found broken at one look."""

    kind: Kind
    #: Which of several: the channel, where it is one.
    subject: str = ""
    #: Since when, where the finding itself says so.
    since: datetime | None = None
    #: How much, where that helps: seconds of a clock.
    seconds: int | None = None

    @property
    def key(self) -> tuple[Kind, str]:
        """Name what is broken, whoever found it and however bad it is."""
        return (self.kind, self.subject)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault that stands since a time."""

    fault: Fault
    since: datetime

    def out(self) -> dict[str, object]:
        """Show it to consoles and /readyz: words and numbers, nothing of anybody."""
        shown: dict[str, object] = {"kind": self.fault.kind.value, "since": self.since}
        if self.fault.subject:
            shown["subject"] = self.fault.subject
        if self.fault.seconds is not None:
            shown["seconds"] = self.fault.seconds
        return shown


class Register:
    """The troubles of a process: each begins when its fault is first found, and ends by itself."""

    def __init__(self) -> None:
        self._since: dict[tuple[Kind, str], datetime] = {}

    def note(self, faults: Iterable[Fault], *, now: datetime) -> list[Trouble]:
        """Take what is broken now and return the troubles, the gravest kind first."""
        found = {fault.key: fault for fault in faults}
        self._since = {
            key: self._since.get(key) or fault.since or now for key, fault in found.items()
        }
        order = list(Kind)
        ranked = sorted(found.values(), key=lambda fault: (order.index(fault.kind), fault.subject))
        return [Trouble(fault, self._since[fault.key]) for fault in ranked]


# ---- what a process sees of itself

#: The tailer looks every second and waits three for an answer; a later look is a broken one.
LOOK_LATE_S = 3.5
#: So many canaries that were not heard, or not stored, are no chance.
MISSES = 2
#: Redis may be restarted without an alarm.
DEAF_MOST_S = 8.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What the parts of a process say of themselves; times are monotonic seconds."""

    time: float
    #: Since when it runs without having been held up as a whole.
    awake_since: float
    look_began_at: float
    looked_at: float
    deaf_since: float | None
    unstored: int
    unheard: int
    skew_s: float


def judge(signs: Signs, *, apart_s: float) -> list[Fault]:
    """Say what is broken in this process."""
    faults = [*_log_faults(signs)]
    if signs.deaf_since is not None and signs.time - signs.deaf_since > DEAF_MOST_S:
        faults.append(Fault(Kind.HINTS))
    if abs(signs.skew_s) > apart_s:
        faults.append(Fault(Kind.CLOCK, seconds=round(signs.skew_s)))
    return faults


def _log_faults(signs: Signs) -> list[Fault]:
    is_late = signs.time - max(signs.looked_at, signs.awake_since) > LOOK_LATE_S
    # A look that began and did not end waits for the database; none at all is our own fault.
    is_waiting = signs.look_began_at > signs.looked_at
    faults = []
    if signs.unstored >= MISSES or (is_late and is_waiting):
        faults.append(Fault(Kind.DATABASE))
    if signs.unheard >= MISSES or (is_late and not is_waiting):
        faults.append(Fault(Kind.FAN_OUT))
    return faults


# ---- what the system says in the database

#: Older than this, what is due should have gone.
LAG_MOST_S = 5.0
#: A runner says every few seconds that it is alive.
BEAT_EVERY_S = 4.0
DEAD_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class Beat:
    """A process as it last said that it is alive.

    `ago_s` by the agreed time or the database's clock, whichever is less: one of them may jump.
    """

    role: str
    at: datetime
    ago_s: float
    lanes: tuple[str, ...] = ()
    #: By channel: how many of its last messages the gateway took, and how many it refused.
    gateways: Mapping[str, tuple[int, int]] | None = None

    @property
    def is_alive(self) -> bool:
        """Say whether it still says so."""
        return self.ago_s <= DEAD_AFTER_S
