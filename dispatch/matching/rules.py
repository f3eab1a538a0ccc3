"""PURE. Choosers by rule: what other systems do, and the fallback when weighing is not possible.

radius   everyone within a circle, straight to the patient; the circle may grow by steps.
nearest  the k nearest by straight line, straight to the patient.
two_thirds_aed   one third direct, two thirds by way of an AED that lies on their way.
replace  so many kept live: the nearest goes direct, AEDs near the patient are fetched by whoever
         brings each soonest, the rest goes direct in the order of walking time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from dispatch import states
from dispatch.matching.people import AedOption, Candidate, Choice, Plan, Reason, Scene, Under
from dispatch.matching.policy import Policy

#: AEDs nearest to the patient that people are sent by way of (two_thirds_aed).
AEDS_NEAREST = 3
#: Whom to ask when all else fails, and how many of them go direct.
_LAST_RESORT = 10
_FIRST_DIRECT = 3


@dataclass(frozen=True, slots=True)
class Case:
    """One decision: who is there, and what goes on.

    `budget_ms` ends a search early, `steps` after so many steps: a search that was ended early is
    repeated exactly with the steps that it took.
    """

    kind: states.Kind
    candidates: Sequence[Candidate]
    aeds: Sequence[AedOption]
    under: Under
    scene: Scene
    budget_ms: float | None = None
    steps: int | None = None


def radius(policy: Policy, case: Case) -> Plan:
    """Ask everyone within the circle of this wave, else the smallest step that holds a wave."""
    circle = case.under.circle_m or _circle(policy, case.candidates)
    excluded = _unfit(policy, case.candidates, within_m=circle)
    free = sorted((c for c in case.candidates if c.id not in excluded), key=_by_line)
    return _straight(policy, case, free, excluded)


def nearest(policy: Policy, case: Case) -> Plan:
    """Ask the nearest by straight line."""
    excluded = _unfit(policy, case.candidates)
    free = sorted((c for c in case.candidates if c.id not in excluded), key=_by_line)
    return _straight(policy, case, free, excluded)


def two_thirds(policy: Policy, case: Case) -> Plan:
    """Send the nearest third direct and the others by an AED, if that way is hardly longer."""
    excluded = _unfit(policy, case.candidates, within_m=policy.radius_m)
    free = sorted((c for c in case.candidates if c.id not in excluded), key=_by_line)
    asked, left = _split(free, _room(policy, case.under))
    excluded |= dict.fromkeys((person.id for person in left), Reason.BEYOND_CAP)
    near = _near_aeds(policy, case)
    direct = len(asked) - round(len(asked) * policy.aed_share)
    chosen = [_direct(person, case.scene) for person in asked[:direct]]
    chosen += [_on_the_way(policy, case, person, near) for person in asked[direct:]]
    return Plan(tuple(chosen), excluded)


def replace(policy: Policy, case: Case) -> Plan:
    """Fill up to the number kept live: one direct, fetchers, then the next nearest on foot."""
    excluded = _unfit(policy, case.candidates)
    free = sorted((c for c in case.candidates if c.id not in excluded), key=_nearness)
    size = _room(policy, case.under)
    chosen = _firsts(policy, case, free, size=size)
    asked = {choice.id for choice in chosen}
    others, left = _split([c for c in free if c.id not in asked], size - len(chosen))
    chosen += [_direct(person, case.scene) for person in others]
    excluded |= dict.fromkeys((person.id for person in left), Reason.BEYOND_CAP)
    return Plan(_by_nearness(chosen, free), excluded)


def named(policy: Policy, case: Case) -> Plan:
    """Give roles to the people whom an operator named, or to a team.

    Distance and an unknown position do not count against them; duty and certificates do.
    """
    excluded = {p.id: p.blocked for p in case.candidates if p.blocked is not None}
    free = sorted((c for c in case.candidates if c.id not in excluded), key=_nearness)
    known = [person for person in free if person.direct_s is not None]
    chosen = _firsts(policy, case, known, size=len(known))
    asked = {choice.id for choice in chosen}
    chosen += [_direct(person, case.scene) for person in free if person.id not in asked]
    return Plan(_by_nearness(chosen, free), excluded)


def last_resort(policy: Policy, case: Case) -> Plan:
    """Ask the ten nearest by straight line when nothing better can be had.

    Three go direct, the others by way of the open AED that is nearest to the patient; by way of one
    of which nobody knows the way to it they would be lost, so they go direct too.
    """
    excluded = {p.id: p.blocked for p in case.candidates if p.blocked is not None}
    free = sorted((c for c in case.candidates if c.id not in excluded), key=_by_line)
    size = max(0, min(_LAST_RESORT - case.under.live, case.under.room))
    asked, left = _split(free, size)
    excluded |= dict.fromkeys((person.id for person in left), Reason.BEYOND_CAP)
    near = _near_aeds(policy, case)[:1]
    chosen = [_direct(person, case.scene) for person in asked[:_FIRST_DIRECT]]
    for person in asked[_FIRST_DIRECT:]:
        via = _via(policy, case, person, near[0]) if near else None
        chosen.append(via or _direct(person, case.scene))
    return Plan(tuple(chosen), excluded)


def unfit(policy: Policy, person: Candidate) -> Reason | None:
    """Say why a person is not weighed at all: what was found before, or out of reach."""
    if person.blocked is not None:
        return person.blocked
    is_far = person.direct_s is None or person.direct_s > policy.reach_s
    return Reason.TOO_FAR if is_far else None


def _unfit(
    policy: Policy, candidates: Sequence[Candidate], *, within_m: float | None = None
) -> dict[UUID, Reason]:
    found = {c.id: reason for c in candidates if (reason := unfit(policy, c)) is not None}
    if within_m is not None:
        far = (c.id for c in candidates if _line_m(c) > within_m)
        found = {**dict.fromkeys(far, Reason.TOO_FAR), **found}
    return found


def _circle(policy: Policy, candidates: Sequence[Candidate]) -> float:
    """Return the smallest step that holds a wave, else the largest."""
    steps = policy.steps_m or (policy.radius_m or math.inf,)
    able = [_line_m(person) for person in candidates if unfit(policy, person) is None]
    for step in steps:
        if sum(metres <= step for metres in able) >= policy.wave_size:
            return step
    return steps[-1]


def _line_m(person: Candidate) -> float:
    """Return the straight line; where nobody measured it, something not longer than the walk."""
    if person.distance_m is not None:
        return person.distance_m
    return math.inf if person.direct_s is None else person.direct_s


def _by_line(person: Candidate) -> tuple[float, UUID]:
    return (_line_m(person), person.id)


def _nearness(person: Candidate) -> tuple[float, UUID]:
    return (math.inf if person.direct_s is None else person.direct_s, person.id)


def _by_nearness(chosen: Sequence[Choice], free: Sequence[Candidate]) -> tuple[Choice, ...]:
    order = {person.id: place for place, person in enumerate(free)}
    return tuple(sorted(chosen, key=lambda choice: order[choice.id]))


def _room(policy: Policy, under: Under) -> int:
    return max(0, min(policy.wave_size - under.live, under.room))


def _split(free: Sequence[Candidate], size: int) -> tuple[Sequence[Candidate], Sequence[Candidate]]:
    return free[: max(0, size)], free[max(0, size) :]


def _straight(
    policy: Policy, case: Case, free: Sequence[Candidate], excluded: Mapping[UUID, Reason]
) -> Plan:
    asked, left = _split(free, _room(policy, case.under))
    beyond = dict.fromkeys((person.id for person in left), Reason.BEYOND_CAP)
    return Plan(tuple(_direct(person, case.scene) for person in asked), {**excluded, **beyond})


def _direct(person: Candidate, scene: Scene) -> Choice:
    walk = person.direct_s
    arrives = None if walk is None else scene.lead_s + walk + scene.vertical_s
    return Choice(person.id, states.Role.DIRECT, None, walk, arrives)


def _via(policy: Policy, case: Case, person: Candidate, aed: AedOption) -> Choice | None:
    """Return the choice to fetch an AED, None where it is shut when the person comes to it."""
    to_aed_s = person.aed_s.get(aed.id)
    if to_aed_s is None or not aed.is_usable_at(case.scene.lead_s + to_aed_s):
        return None
    pickup_s = policy.aed_pickup_s if aed.pickup_s is None else aed.pickup_s
    travel_s = to_aed_s + pickup_s + aed.to_patient_s
    arrives_s = case.scene.lead_s + travel_s + case.scene.vertical_s
    return Choice(person.id, states.Role.VIA_AED, aed.id, travel_s, arrives_s)


# ---- two thirds


def _near_aeds(policy: Policy, case: Case) -> list[AedOption]:
    """Return the nearest to the patient within the circle, if the kind wants one."""
    if case.kind not in states.WANTS_AED:
        return []
    within = [
        aed for aed in case.aeds if aed.distance_m is None or aed.distance_m <= policy.aed_circle_m
    ]
    begin_s = case.scene.lead_s
    in_time = [aed for aed in within if aed.is_usable_between(begin_s, begin_s + policy.reach_s)]
    return sorted(in_time, key=lambda aed: (aed.to_patient_s, aed.id))[:AEDS_NEAREST]


def _on_the_way(policy: Policy, case: Case, person: Candidate, near: Sequence[AedOption]) -> Choice:
    """Send a person by the AED with the shortest way, or direct when that way is too long."""
    ways = [
        (person.aed_s[aed.id] + aed.to_patient_s, choice)
        for aed in near
        if (choice := _via(policy, case, person, aed)) is not None
    ]
    direct = _direct(person, case.scene)
    if not ways:
        return direct
    walk_s, choice = min(ways, key=lambda way: way[0])
    return choice if is_on_the_way(walk_s, person.direct_s, policy.detour_most) else direct


def is_on_the_way(by_aed_s: float, direct_s: float | None, detour_most: float | None) -> bool:
    """Say whether the walk by an AED is hardly longer; a limit of None lets every walk pass."""
    if detour_most is None or direct_s is None:
        return True
    return by_aed_s <= direct_s * (1 + detour_most)


# ---- replace


def _firsts(policy: Policy, case: Case, free: Sequence[Candidate], *, size: int) -> list[Choice]:
    """Choose the nearest to go direct, then a fetcher for each of the best AEDs."""
    if case.kind not in states.WANTS_AED:
        return []
    under = case.under
    chosen = (
        [_direct(free[0], case.scene)] if free and size > 0 and not under.is_direct_going else []
    )
    fetchers = min(policy.aeds_most - len(under.aeds_taken), size - len(chosen))
    for aed in sorted(case.aeds, key=lambda aed: (aed.to_patient_s, aed.id)):
        if fetchers <= 0:
            break
        if aed.id in under.aeds_taken:
            continue
        asked = {choice.id for choice in chosen}
        choice = _fetcher(policy, case, [p for p in free if p.id not in asked], aed)
        if choice is not None:
            chosen.append(choice)
            fetchers -= 1
    return chosen


def _fetcher(
    policy: Policy, case: Case, free: Sequence[Candidate], aed: AedOption
) -> Choice | None:
    ways = [
        (choice.travel_s, choice.id, choice)
        for person in free
        if (choice := _via(policy, case, person, aed)) is not None
        and choice.travel_s is not None
        and choice.travel_s <= policy.reach_s
    ]
    return min(ways, key=lambda way: way[:2])[2] if ways else None
