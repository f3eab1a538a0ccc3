"""PURE. What happens next in asking, and when, given what has happened.

`next_step` says what is to be done now, after a change or when the clock says so; `next_look` says
when the clock says so. A policy that weighs people plans anew at both; one that replaces keeps so
many live; one that broadcasts sends once, or once for each step of its circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from dispatch import matching, states


class Style(StrEnum):
    """How asking goes on after the first wave."""

    WEIGH = "weigh"
    REPLACE = "replace"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class Asked:
    """One alert of the incident, as far as escalation cares.

    `arrives_s` is when somebody who is going will be at the patient, in seconds from now; None
    where nobody knows. Whoever was asked with a team is wanted whatever the others do. Who
    `carries` an AED brings one, in whichever role.
    """

    role: states.Role
    status: states.Alert
    assignment: states.Assignment | None
    arrives_s: float | None = None
    is_team: bool = False
    carries: bool = False

    @property
    def is_going(self) -> bool:
        """Say whether this responder is on the way, or has been of use."""
        gone = {states.Assignment.UNABLE, states.Assignment.STOOD_DOWN}
        return self.assignment is not None and self.assignment not in gone

    @property
    def is_helping(self) -> bool:
        """Say whether this responder is going to the patient, not to meet the ambulance."""
        return self.is_going and self.role is not states.Role.GUIDE

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
    """Plan, and ask whom the plan adds: so many at most."""

    most: int


@dataclass(frozen=True, slots=True)
class Cover:
    """Enough are coming: tell those who have not answered, kindly."""


class Why(StrEnum):
    """Why nobody more is asked by itself though nobody, or too few, are going."""

    CAP = "cap"
    TIME = "time"
    ONCE = "once"


@dataclass(frozen=True, slots=True)
class Exhausted:
    """More are needed, and nobody is asked by itself any more: the operator has to know."""

    why: Why = Why.CAP


@dataclass(frozen=True, slots=True)
class Done:
    """Enough are coming, or nobody is to be asked by itself."""


Step = Wait | Send | Cover | Exhausted | Done


@dataclass(frozen=True, slots=True)
class Facts:
    """What has happened so far; `last_wave_at` is None before an operator asked for the first.

    `began_at` is when an operator asked last, from which the clock counts; `waves` how many went
    in all. `ambulance_s` is when the ambulance should be there, in seconds from now.
    """

    kind: states.Kind
    status: states.Incident
    is_stood_down: bool
    asked: Sequence[Asked]
    last_wave_at: datetime | None
    began_at: datetime | None = None
    waves: int = 1
    ambulance: states.Ambulance = states.Ambulance.UNKNOWN
    ambulance_s: float = 720.0

    @property
    def pending(self) -> int:
        """Count those whose answer is awaited."""
        return sum(ask.is_pending for ask in self.asked)

    @property
    def helping(self) -> int:
        """Count those who go to the patient."""
        return sum(ask.is_helping for ask in self.asked)


_ENDED = frozenset({states.Incident.HANDED_OVER, states.Incident.CLOSED})


def style(policy: matching.Policy, kind: states.Kind) -> Style:
    """Say how a policy goes on; where minutes to a patient do not count, it replaces."""
    if policy.chooser in matching.JOINT:
        return Style.WEIGH if kind in states.MEDICAL else Style.REPLACE
    return Style.REPLACE if policy.chooser is matching.Chooser.REPLACE else Style.BROADCAST


def next_step(policy: matching.Policy, facts: Facts, *, now: datetime) -> Step:
    """Decide whether more people have to be asked: now, later, or not at all."""
    if facts.last_wave_at is None or facts.is_stood_down or facts.status in _ENDED:
        return Done()
    if is_covered(policy, facts):
        return Cover() if any(may_be_covered(ask) for ask in facts.asked) else Done()
    how = style(policy, facts.kind)
    is_enough_for_it = how is not Style.WEIGH and is_enough(policy, facts)
    if is_enough_for_it or facts.ambulance is states.Ambulance.ON_SCENE:
        return Done()
    if now >= _stop_at(policy, facts):
        return _ended(facts, Why.TIME)
    return _ask_more(policy, facts, how, now)


def _ended(facts: Facts, why: Why) -> Step:
    """Let the operator know only when nobody comes and nobody may still answer."""
    return Done() if facts.helping or facts.pending else Exhausted(why)


def _ask_more(policy: matching.Policy, facts: Facts, how: Style, now: datetime) -> Step:
    room = policy.alerts_cap - len(facts.asked)
    if room <= 0:
        return Exhausted(Why.CAP)
    if how is Style.BROADCAST:
        return _next_circle(policy, facts, room, now)
    free = min(room, _free(policy, facts, how))
    return Send(free) if free > 0 else Wait(_later(policy, facts, now))


def _free(policy: matching.Policy, facts: Facts, how: Style) -> int:
    """Return how many more may be live at once."""
    if how is Style.WEIGH:
        return min(policy.wave_size, policy.live_most - facts.pending)
    going = sum(ask.is_going for ask in facts.asked)
    return policy.wave_size - facts.pending - going


def _next_circle(policy: matching.Policy, facts: Facts, room: int, now: datetime) -> Step:
    """Grow the circle when its people had their time, or when nobody in it can still answer."""
    if facts.waves >= _circles(policy):
        return _ended(facts, Why.ONCE)
    grow_at = _grow_at(policy, facts, now)
    return Send(min(policy.wave_size, room)) if grow_at <= now else Wait(grow_at)


def _circles(policy: matching.Policy) -> int:
    return len(policy.steps_m) if policy.chooser is matching.Chooser.RADIUS else 0


def _grow_at(policy: matching.Policy, facts: Facts, now: datetime) -> datetime:
    if not facts.pending:
        return now
    return max(now, (facts.last_wave_at or now) + timedelta(seconds=policy.wave_wait_s))


def circle(policy: matching.Policy, waves: int) -> float | None:
    """Return the radius in metres of the wave after so many; None: the policy's own."""
    steps = _circles(policy)
    return policy.steps_m[min(waves, steps - 1)] if steps else None


def next_look(policy: matching.Policy, facts: Facts, *, now: datetime) -> datetime | None:
    """Say when to look again if nothing changes meanwhile; None: never."""
    stop_at = _stop_at(policy, facts)
    if now >= stop_at:
        return None
    how = style(policy, facts.kind)
    if how is Style.BROADCAST:
        is_last = facts.waves >= _circles(policy)
        return stop_at if is_last else min(_grow_at(policy, facts, now), stop_at)
    if how is Style.REPLACE:
        return min(now + timedelta(seconds=policy.wave_wait_s), stop_at)
    began_at = facts.began_at or facts.last_wave_at or now
    ticks = (began_at + timedelta(seconds=tick) for tick in sorted(policy.replan_s))
    return next((tick for tick in ticks if now < tick < stop_at), stop_at)


def _later(policy: matching.Policy, facts: Facts, now: datetime) -> datetime:
    return next_look(policy, facts, now=now) or _stop_at(policy, facts)


def _stop_at(policy: matching.Policy, facts: Facts) -> datetime:
    """Say when asking by itself ends; it begins anew when an operator asks."""
    began_at = facts.began_at or facts.last_wave_at or datetime.min.replace(tzinfo=UTC)
    return began_at + timedelta(seconds=policy.stop_after_s)


def is_enough(policy: matching.Policy, facts: Facts) -> bool:
    """Say whether enough have accepted, whenever they arrive.

    An AED is waited for only where one was within reach, so that asking ends in a place without.
    """
    target = policy.target(facts.kind)
    helping = [ask for ask in facts.asked if ask.is_helping]
    direct = sum(ask.role is states.Role.DIRECT for ask in helping)
    return (
        len(helping) >= target.total
        and direct >= target.direct
        and (not _is_aed_near(facts) or len(helping) - direct >= target.via_aed)
    )


def is_covered(policy: matching.Policy, facts: Facts) -> bool:
    """Say whether those who have not answered are not needed any more.

    That is so when enough arrive before the ambulance, with an AED where one was within reach; or
    when the accepts are limited and all are taken. Only a patient can be covered.
    """
    if is_full(policy, facts):
        return True
    if facts.kind not in states.MEDICAL:
        return False
    wants_aed = facts.kind in states.WANTS_AED
    total = policy.stop_total if wants_aed else policy.other.total
    in_time = [
        ask.carries or ask.role is states.Role.VIA_AED
        for ask in facts.asked
        if ask.is_helping and ask.arrives_s is not None and ask.arrives_s < facts.ambulance_s
    ]
    with_aed = sum(in_time)
    lacks_aed = wants_aed and _is_aed_near(facts) and with_aed < policy.stop_aed
    return len(in_time) >= max(1, total) and not lacks_aed


def is_full(policy: matching.Policy, facts: Facts) -> bool:
    """Say whether accepts for a patient are limited and as many have accepted as are wanted."""
    if not policy.is_limited or facts.kind not in states.MEDICAL:
        return False
    return facts.helping >= max(1, policy.target(facts.kind).total)


def may_be_covered(ask: Asked) -> bool:
    """Say whether somebody can be told that enough are coming."""
    return ask.is_pending and not ask.is_team


def wants_guide(policy: matching.Policy, facts: Facts) -> bool:
    """Say whether who accepts next should meet the ambulance: enough are going, nobody does it."""
    if facts.kind not in states.MEDICAL or facts.ambulance is states.Ambulance.ON_SCENE:
        return False
    has_guide = any(ask.is_going and ask.role is states.Role.GUIDE for ask in facts.asked)
    return not has_guide and is_enough(policy, facts)


def _is_aed_near(facts: Facts) -> bool:
    return any(ask.role is states.Role.VIA_AED for ask in facts.asked)
