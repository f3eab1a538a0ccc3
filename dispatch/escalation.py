"""PURE. What happens next in asking, and when, given what has happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch import matching, states


@dataclass(frozen=True, slots=True)
class Asked:
    """One alert of the incident, as far as escalation cares."""

    wave: int
    role: states.Role
    status: states.Alert
    assignment: states.Assignment | None

    @property
    def is_going(self) -> bool:
        """Say whether this responder is on the way, or has been of use."""
        gone = {states.Assignment.UNABLE, states.Assignment.STOOD_DOWN}
        return self.assignment is not None and self.assignment not in gone

    @property
    def is_pending(self) -> bool:
        """Say whether an answer is still awaited."""
        return self.status in states.ALERT_LIVE


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again at a time."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Send:
    """Ask so many more."""

    most: int


@dataclass(frozen=True, slots=True)
class Exhausted:
    """More are needed, but the cap on alerts is reached."""


@dataclass(frozen=True, slots=True)
class Done:
    """Enough have accepted, or nobody is to be asked by itself."""


Step = Wait | Send | Exhausted | Done


@dataclass(frozen=True, slots=True)
class Facts:
    """What has happened so far; `last_wave_at` is None before an operator asked for the first."""

    kind: states.Kind
    status: states.Incident
    is_stood_down: bool
    asked: Sequence[Asked]
    last_wave_at: datetime | None


_ENDED = frozenset({states.Incident.HANDED_OVER, states.Incident.CLOSED})


def next_step(policy: matching.Policy, facts: Facts, *, now: datetime) -> Step:
    """Decide whether more people have to be asked: now, later, or not at all.

    The next wave goes when enough time has passed since the last one, or as soon as nobody is left
    who could still answer.
    """
    if facts.last_wave_at is None or facts.is_stood_down or facts.status in _ENDED:
        return Done()
    if is_enough(policy, facts):
        return Done()
    room = policy.alerts_cap - len(facts.asked)
    look_at = facts.last_wave_at + timedelta(seconds=policy.wave_wait_s)
    if now < look_at and any(ask.is_pending for ask in facts.asked):
        return Wait(look_at)
    return Send(min(policy.wave_size, room)) if room > 0 else Exhausted()


def is_enough(policy: matching.Policy, facts: Facts) -> bool:
    """Say whether enough have accepted.

    An AED is waited for only where one was within reach, so that asking ends in a place without.
    """
    target = policy.target(facts.kind)
    going = [ask for ask in facts.asked if ask.is_going]
    direct = sum(ask.role is states.Role.DIRECT for ask in going)
    is_aed_near = any(ask.role is states.Role.VIA_AED for ask in facts.asked)
    return (
        len(going) >= target.total
        and direct >= target.direct
        and (not is_aed_near or len(going) - direct >= target.via_aed)
    )
