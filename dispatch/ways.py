"""Measure every way that a plan weighs: from people to the patient, by way of each AED.

One expansion of the walking network from the patient, and one from each AED that may matter; no
database, so it runs in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dispatch import aed_trust, eligibility, matching, states
from geo import aeds, position, usability, walking

#: A skill of people who have an AED at hand.
CARRIES_AED = "carries_aed"


@dataclass(frozen=True, slots=True)
class PlanAed:
    """An AED near the patient; `works` is how surely somebody who fetches it brings one."""

    aed: aeds.Aed
    usable: usability.Usability
    walk: walking.Travel | None
    works: float
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """What is to be measured."""

    patient: position.Position
    kind: states.Kind
    policy: matching.Policy
    scene: matching.Scene
    reach_s: float
    people: Sequence[eligibility.Person]
    near: Sequence[aeds.Aed]
    fetches: Mapping[UUID, aed_trust.Fetches]


@dataclass(frozen=True, slots=True)
class Ways:
    """What the walking network answered, ready for choosing."""

    direct: Mapping[UUID, walking.Travel]
    candidates: tuple[matching.Candidate, ...]
    options: tuple[matching.AedOption, ...]
    aeds: tuple[PlanAed, ...]


def measure(network: walking.WalkingNetwork, ask: Ask, *, now: datetime) -> Ways:
    """Measure all ways; people come out in the order of their ids."""
    placed = [person for person in ask.people if person.position is not None]
    targets = [person.position for person in placed if person.position is not None]
    found = network.times(
        ask.patient,
        [*targets, *(aed.position for aed in ask.near)],
        within_s=ask.reach_s,
        inbound=True,
    )
    walks, to_aeds = found[: len(placed)], found[len(placed) :]
    direct = {p.id: way for p, way in zip(placed, walks, strict=True) if way is not None}
    shown = tuple(_judge(ask, aed, way, now) for aed, way in zip(ask.near, to_aeds, strict=True))
    options = _options(ask, shown, now)
    aed_s = _to_aeds(network, ask, options)
    candidates = (_candidate(ask, person, direct, aed_s) for person in ask.people)
    in_order = tuple(sorted(candidates, key=lambda candidate: candidate.id))
    return Ways(direct, in_order, tuple(options), shown)


def _to_aeds(
    network: walking.WalkingNetwork,
    ask: Ask,
    options: Sequence[matching.AedOption],
) -> Mapping[UUID, dict[UUID, float]]:
    """Measure from those who can be asked to each AED; nobody else's way is weighed."""
    at = {aed.id: aed.position for aed in ask.near}
    placed = {
        person.id: person.position
        for person in ask.people
        if person.blocked is None and person.position is not None
    }
    aed_s: dict[UUID, dict[UUID, float]] = {person: {} for person in placed}
    targets = list(placed.values())
    for option in options:
        ways = network.times(at[option.id], targets, within_s=ask.policy.reach_s, inbound=True)
        for person, way in zip(placed, ways, strict=True):
            if way is not None:
                aed_s[person][option.id] = round(way.travel_s, 1)
    return aed_s


def _candidate(
    ask: Ask,
    person: eligibility.Person,
    direct: Mapping[UUID, walking.Travel],
    aed_s: Mapping[UUID, Mapping[UUID, float]],
) -> matching.Candidate:
    way, place = direct.get(person.id), person.position
    return matching.Candidate(
        person.id,
        None if way is None else round(way.travel_s, 1),
        aed_s.get(person.id, {}),
        person.blocked,
        None if place is None else round(position.distance_m(place, ask.patient), 1),
        round(person.accept, 4),
        ask.policy.carried_works if CARRIES_AED in person.skills else None,
    )


def _judge(ask: Ask, aed: aeds.Aed, way: walking.Travel | None, now: datetime) -> PlanAed:
    usable = aeds.usable(aed, now)
    works = aed_trust.works(aed, usable, ask.fetches.get(aed.id), now=now)
    return PlanAed(aed, usable, way, round(works * ask.policy.aed_people_factor, 4))


def _options(ask: Ask, shown: Sequence[PlanAed], now: datetime) -> list[matching.AedOption]:
    """Return the AEDs that may be fetched, the nearest to the patient first.

    Those that are shut for as long as anybody is on the way come last: they say why somebody is not
    sent, and take no place from one that can be had.
    """
    if ask.kind not in states.WANTS_AED:
        return []
    found = [
        option
        for item in shown
        if item.walk is not None
        and item.walk.travel_s <= _of_use_s(ask)
        and (option := _option(ask, item, item.walk, now)) is not None
    ]
    begin_s = ask.scene.lead_s
    end_s = begin_s + ask.policy.reach_s
    in_order = sorted(
        found,
        key=lambda one: (not one.is_usable_between(begin_s, end_s), one.to_patient_s, one.id),
    )
    return in_order[: ask.policy.aeds_measured]


def _of_use_s(ask: Ask) -> float:
    """Return how far from the patient an AED can hang that comes before the ambulance."""
    if ask.policy.chooser not in matching.JOINT:
        return ask.policy.reach_s
    return min(ask.policy.reach_s, ask.scene.ambulance_shock_s)


def _option(
    ask: Ask, item: PlanAed, walk: walking.Travel, now: datetime
) -> matching.AedOption | None:
    """Say when an AED can be had: from now, or from when it opens next, until it closes.

    One of which nobody wrote down the hours counts for what it is worth, where a policy weighs.
    """
    begins, usable = now, item.usable
    is_doubtful = (
        usable.state is usability.Usable.UNKNOWN and usable.reason in aed_trust.HOURS_UNKNOWN
    )
    if is_doubtful and ask.policy.chooser not in matching.JOINT:
        return None
    if not is_doubtful and usable.state is not usability.Usable.YES:
        if usable.until is None:
            return None
        begins, usable = usable.until, aeds.usable(item.aed, usable.until)
        if usable.state is not usability.Usable.YES:
            return None
    ends = usable.until if usable.until is not None else now + timedelta(days=366)
    return matching.AedOption(
        item.aed.id,
        round(walk.travel_s, 1),
        (begins - now).total_seconds(),
        (ends - now).total_seconds(),
        item.works,
        ask.policy.aed_pickup_s + (ask.policy.vertical.unknown_s if item.aed.indoor else 0.0),
        round(position.distance_m(item.aed.position, ask.patient), 1),
    )
