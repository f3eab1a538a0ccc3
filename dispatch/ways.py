"""Measure every way that a plan weighs: from people to the patient, by way of each AED.

One expansion of the walking network from the patient, and one from each AED that may matter, for
all people at once; no database, so it runs in a thread.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np

from dispatch import aed_trust, considered, eligibility, matching, states
from geo import aeds, position, usability, walking

#: So many AEDs are shown with a plan besides those that somebody fetches.
AEDS_SHOWN = 12

_NOWHERE: Mapping[UUID, float] = {}


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
    # Weigh ways by an AED also for those who are out of reach of the patient otherwise.
    even_far: bool = False
    # AEDs that somebody was asked to fetch already.
    taken: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Ways:
    """What the walking network answered, ready for choosing.

    Of the AEDs those that were looked at: to fetch, to be shown, or taken; the nearest first.
    """

    direct: Mapping[UUID, walking.Travel]
    candidates: tuple[matching.Candidate, ...]
    options: tuple[matching.AedOption, ...]
    aeds: tuple[PlanAed, ...]


def measure(network: walking.WalkingNetwork, ask: Ask, *, now: datetime) -> Ways:
    """Measure all ways; people come out in the order of their ids."""
    people = sorted(ask.people, key=lambda person: person.id)
    places = [person.position for person in people if person.position is not None]
    found = network.times(
        ask.patient,
        [*places, *(aed.position for aed in ask.near)],
        within_s=ask.reach_s,
        speed_mps=ask.policy.pace_mps,
        inbound=True,
    )
    walks, to_aeds = iter(found[: len(places)]), found[len(places) :]
    direct = [None if person.position is None else next(walks) for person in people]
    options, judged = _options(ask, to_aeds, now)
    aed_s = _to_aeds(network, ask, options, list(zip(people, direct, strict=True)))
    candidates = tuple(
        _candidate(ask, person, way, times)
        for person, way, times in zip(people, direct, aed_s, strict=True)
    )
    ways = {p.id: way for p, way in zip(people, direct, strict=True) if way is not None}
    return Ways(ways, candidates, tuple(options), _looked_at(ask, to_aeds, judged, now))


def _to_aeds(
    network: walking.WalkingNetwork,
    ask: Ask,
    options: Sequence[matching.AedOption],
    people: Sequence[tuple[eligibility.Person, walking.Travel | None]],
) -> list[Mapping[UUID, float]]:
    """Measure from those who can be asked to each AED; nobody else's way is weighed."""
    wanted = [
        (number, person.position)
        for number, (person, way) in enumerate(people)
        if person.blocked is None
        and person.position is not None
        and (ask.even_far or way is not None)
    ]
    found: list[Mapping[UUID, float]] = [_NOWHERE] * len(people)
    if wanted and options:
        at = {aed.id: aed.position for aed in ask.near}
        seconds = network.matrix(
            [place for _, place in wanted],
            [at[option.id] for option in options],
            within_s=ask.policy.reach_s,
            speed_mps=ask.policy.pace_mps,
        )
        place = {option.id: number for number, option in enumerate(options)}
        in_tenths = np.where(np.isnan(seconds), math.inf, seconds.round(1))
        for (number, _), row in zip(wanted, in_tenths.tolist(), strict=True):
            found[number] = matching.AedTimes(place, row)
    return found


def _candidate(
    ask: Ask,
    person: eligibility.Person,
    way: walking.Travel | None,
    aed_s: Mapping[UUID, float],
) -> matching.Candidate:
    return matching.Candidate(
        person.id,
        None if way is None else round(way.travel_s, 1),
        aed_s,
        person.blocked,
        person.away_m,
        round(person.accept, 4),
        ask.policy.carried_works if considered.CARRIES_AED in person.skills else None,
    )


def _judge(ask: Ask, aed: aeds.Aed, way: walking.Travel | None, now: datetime) -> PlanAed:
    usable = aeds.usable(aed, now)
    works = aed_trust.works(aed, usable, ask.fetches.get(aed.id), now=now)
    return PlanAed(aed, usable, way, round(works * ask.policy.aed_people_factor, 4))


def open_until(item: PlanAed) -> datetime | None:
    """Say until when an AED can be had, also one that has yet to open; None where for long."""
    usable = item.usable
    if usable.until is None or _is_open(usable):
        return usable.until
    return aeds.usable(item.aed, usable.until).until


def _is_open(usable: usability.Usability) -> bool:
    """Say whether it can be had now, or may be, as nobody wrote down its hours."""
    return usable.state is usability.Usable.YES or _is_doubtful(usable)


def _is_doubtful(usable: usability.Usability) -> bool:
    return usable.state is usability.Usable.UNKNOWN and usable.reason in aed_trust.HOURS_UNKNOWN


def _options(
    ask: Ask, to_aeds: Sequence[walking.Travel | None], now: datetime
) -> tuple[list[matching.AedOption], dict[int, PlanAed]]:
    """Return the AEDs that may be fetched, the nearest to the patient first, and all looked at.

    Those that are shut for as long as anybody is on the way come last: they say why somebody is not
    sent, and take no place from one that can be had. To read the hours of an AED takes a tenth of a
    millisecond, so nobody looks farther than needed.
    """
    judged: dict[int, PlanAed] = {}
    if ask.kind not in states.WANTS_AED:
        return [], judged
    of_use_s, begin_s = _of_use_s(ask), ask.scene.lead_s
    within = sorted(
        (round(walk.travel_s, 1), ask.near[number].id, number, walk)
        for number, walk in enumerate(to_aeds)
        if walk is not None and walk.travel_s <= of_use_s
    )
    useful, shut = list[matching.AedOption](), list[matching.AedOption]()
    for _, _, number, walk in within:
        if len(useful) == ask.policy.aeds_measured:
            break
        judged[number] = _judge(ask, ask.near[number], walk, now)
        option = _option(ask, judged[number], walk, now)
        if option is not None:
            is_useful = option.is_usable_between(begin_s, begin_s + ask.policy.reach_s)
            (useful if is_useful else shut).append(option)
    return [*useful, *shut][: ask.policy.aeds_measured], judged


def _looked_at(
    ask: Ask,
    to_aeds: Sequence[walking.Travel | None],
    judged: Mapping[int, PlanAed],
    now: datetime,
) -> tuple[PlanAed, ...]:
    """Return the AEDs that a plan shows or counts with, as they come."""
    return tuple(
        judged.get(number) or _judge(ask, aed, walk, now)
        for number, (aed, walk) in enumerate(zip(ask.near, to_aeds, strict=True))
        if number < AEDS_SHOWN or number in judged or aed.id in ask.taken
    )


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
    if _is_doubtful(usable) and ask.policy.chooser not in matching.JOINT:
        return None
    if not _is_open(usable):
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
