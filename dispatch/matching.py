"""PURE. Who is asked, in which role, by way of which AED; and one reason for everyone else.

The first policy: the nearest goes straight to the patient; the three AEDs nearest to the patient
are each fetched by whoever brings them soonest; the rest of the wave goes straight, in the order
of walking time. It knows seconds and ids, no maps and no names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from dispatch import states


@dataclass(frozen=True, slots=True)
class Target:
    """How many accepts are enough."""

    total: int
    direct: int
    via_aed: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The numbers of the first policy; stored by name with every decision."""

    name: str = "first-policy v1"
    # Nobody farther away on foot is asked.
    reach_s: float = 900.0
    # Time to take an AED out of its cabinet.
    aed_pickup_s: float = 30.0
    # AEDs on their way at once.
    aeds_most: int = 3
    wave_size: int = 7
    # Most alerts of one incident.
    alerts_cap: int = 30
    wave_wait_s: float = 30.0
    alert_expires_s: float = 60.0
    # A phone that has not confirmed by then counts as not reached.
    delivery_wait_s: float = 8.0
    no_movement_after_s: float = 180.0
    # A position is live, then the last one known, then worth nothing.
    live_for_s: float = 300.0
    last_for_s: float = 1_800.0
    youngest: int = 18
    arrest: Target = Target(total=3, direct=1, via_aed=1)
    other: Target = Target(total=1, direct=1, via_aed=0)

    def target(self, kind: states.Kind) -> Target:
        """Return how many accepts are enough for a kind of incident."""
        return self.arrest if kind in states.WANTS_AED else self.other


class Reason(StrEnum):
    """Why somebody is not asked; the screens hold the words."""

    OFF_DUTY = "off_duty"
    SUSPENDED = "suspended"
    RESTING = "resting"
    BUSY = "busy"
    ALREADY_ALERTED = "already_alerted"
    NO_CERTIFICATE = "no_certificate"
    CERTIFICATE_EXPIRED = "certificate_expired"
    UNDER_AGE = "under_age"
    NO_POSITION = "no_position"
    POSITION_STALE = "position_stale"
    TOO_FAR = "too_far"
    BEYOND_CAP = "beyond_cap"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody considered: seconds on foot to the patient and to AEDs, or why not at all.

    `direct_s` is None where the way is unknown or longer than the reach.
    """

    id: UUID
    direct_s: float | None
    aed_s: Mapping[UUID, float] = field(default_factory=dict)
    blocked: Reason | None = None


@dataclass(frozen=True, slots=True)
class AedOption:
    """An AED: seconds on foot to the patient, and when it can be had, in seconds from now."""

    id: UUID
    to_patient_s: float
    usable_from_s: float = 0.0
    usable_until_s: float = math.inf

    def is_usable_at(self, arrival_s: float) -> bool:
        """Say whether somebody who arrives at that time gets it."""
        return self.usable_from_s <= arrival_s < self.usable_until_s


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who is asked; `travel_s` is the way of the role, pick-up included."""

    id: UUID
    role: states.Role
    aed_id: UUID | None
    travel_s: float | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everyone considered, once: chosen, or excluded for one reason."""

    chosen: tuple[Choice, ...]
    excluded: Mapping[UUID, Reason]


@dataclass(frozen=True, slots=True)
class Under:
    """What goes on already: who is fetching what, whether somebody goes direct, room to the cap."""

    room: int
    is_direct_going: bool = False
    aeds_taken: frozenset[UUID] = frozenset()


def plan(
    policy: Policy,
    kind: states.Kind,
    candidates: Sequence[Candidate],
    aeds: Sequence[AedOption],
    *,
    under: Under | None = None,
) -> Plan:
    """Choose one wave by policy."""
    under = under or Under(policy.alerts_cap)
    excluded = {person.id: reason for person in candidates if (reason := _reason(policy, person))}
    free = sorted((c for c in candidates if c.id not in excluded), key=_nearness)
    size = max(0, min(policy.wave_size, under.room))
    chosen = _firsts(policy, kind, free, aeds, under=under, size=size)
    asked = {choice.id for choice in chosen}
    others = [person for person in free if person.id not in asked]
    room = size - len(chosen)
    chosen += [_direct(person) for person in others[:room]]
    excluded |= {person.id: Reason.BEYOND_CAP for person in others[room:]}
    return Plan(_by_nearness(chosen, free), excluded)


def plan_named(
    policy: Policy,
    kind: states.Kind,
    candidates: Sequence[Candidate],
    aeds: Sequence[AedOption],
    *,
    under: Under | None = None,
) -> Plan:
    """Give roles to the people whom an operator named, or to a team.

    Distance and an unknown position do not count against them; duty and certificates do.
    """
    under = under or Under(policy.alerts_cap)
    excluded = {person.id: person.blocked for person in candidates if person.blocked is not None}
    free = sorted((c for c in candidates if c.id not in excluded), key=_nearness)
    known = [person for person in free if person.direct_s is not None]
    chosen = _firsts(policy, kind, known, aeds, under=under, size=len(known))
    asked = {choice.id for choice in chosen}
    chosen += [_direct(person) for person in free if person.id not in asked]
    return Plan(_by_nearness(chosen, free), excluded)


def _reason(policy: Policy, person: Candidate) -> Reason | None:
    if person.blocked is not None:
        return person.blocked
    is_far = person.direct_s is None or person.direct_s > policy.reach_s
    return Reason.TOO_FAR if is_far else None


def _nearness(person: Candidate) -> tuple[float, UUID]:
    return (math.inf if person.direct_s is None else person.direct_s, person.id)


def _by_nearness(chosen: Sequence[Choice], free: Sequence[Candidate]) -> tuple[Choice, ...]:
    order = {person.id: place for place, person in enumerate(free)}
    return tuple(sorted(chosen, key=lambda choice: order[choice.id]))


def _direct(person: Candidate) -> Choice:
    return Choice(person.id, states.Role.DIRECT, None, person.direct_s)


def _firsts(
    policy: Policy,
    kind: states.Kind,
    free: Sequence[Candidate],
    aeds: Sequence[AedOption],
    *,
    under: Under,
    size: int,
) -> list[Choice]:
    """Choose the nearest to go direct, then a fetcher for each of the best AEDs."""
    if kind not in states.WANTS_AED:
        return []
    chosen = [_direct(free[0])] if free and size and not under.is_direct_going else []
    fetchers = min(policy.aeds_most - len(under.aeds_taken), size - len(chosen))
    best = sorted(aeds, key=lambda aed: (aed.to_patient_s, aed.id))
    for aed in best:
        if fetchers <= 0:
            break
        if aed.id in under.aeds_taken:
            continue
        asked = {choice.id for choice in chosen}
        choice = _fetcher(policy, [p for p in free if p.id not in asked], aed)
        if choice is not None:
            chosen.append(choice)
            fetchers -= 1
    return chosen


def _fetcher(policy: Policy, free: Sequence[Candidate], aed: AedOption) -> Choice | None:
    ways = [
        (to_aed_s + policy.aed_pickup_s + aed.to_patient_s, person.id)
        for person in free
        if (to_aed_s := person.aed_s.get(aed.id)) is not None and aed.is_usable_at(to_aed_s)
    ]
    within = [way for way in ways if way[0] <= policy.reach_s]
    if not within:
        return None
    travel_s, person_id = min(within)
    return Choice(person_id, states.Role.VIA_AED, aed.id, travel_s)
